/* CUDA graphs: what is left on a stream while it is captured is kept, and done whenever the graph is launched.

   Meanwhile no thread of the process may allocate, free or wait: that fails, and so does the capture. */

#include "standin.h"

#include <stdlib.h>
#include <unistd.h>

enum { GLOBAL_MODE = 0, CAPTURE_MICROSECONDS = 20000 };

struct stream *capturing = NULL;
static int invalidated;

int standin_unsafe(const char *call)
{
    lock();
    int refused = capturing != NULL;
    if (refused)
        invalidated = 1;
    unlock();
    if (!refused)
        return SUCCESS;
    standin_log("violation %s", call);
    return failed(NOT_WHILE_CAPTURING);
}

int cudaStreamBeginCapture(struct stream *stream, int mode)
{
    if (mode != GLOBAL_MODE)
        standin_unknown("capture in another mode than the global one");
    lock();
    if (capturing != NULL)
        standin_unknown("second capture beside a first");
    capturing = stream;
    invalidated = 0;
    stream->captured = (struct list){NULL, NULL};
    unlock();
    standin_log("capture on %d", stream->device);
    return SUCCESS;
}

int cudaStreamEndCapture(struct stream *stream, struct list **graph)
{
    usleep(CAPTURE_MICROSECONDS); /* long enough for other threads to come by */
    lock();
    capturing = NULL;
    unlock();
    *graph = NULL;
    if (invalidated)
        return failed(CAPTURE_INVALIDATED);
    *graph = malloc(sizeof **graph);
    **graph = stream->captured;
    standin_log("captured on %d", stream->device);
    return SUCCESS;
}

int cudaGraphInstantiate(struct list **executable, struct list *graph, unsigned long long flags)
{
    *executable = graph;
    return SUCCESS;
}

int cudaGraphLaunch(struct list *graph, struct stream *stream)
{
    lock();
    for (struct work *work = graph->first; work != NULL; work = work->next)
        append(&stream->pending, work);
    unlock();
    standin_log("replayed on %d", stream->device);
    return SUCCESS;
}

/* Graphs are left where they are: the process of a test is over soon. */
int cudaGraphDestroy(struct list *graph)
{
    return SUCCESS;
}

int cudaGraphExecDestroy(struct list *executable)
{
    return SUCCESS;
}
