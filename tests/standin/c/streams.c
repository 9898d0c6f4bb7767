/* Streams: what is left on one is done when somebody waits for it and no sooner, so that a wait that lacks is seen. */

#include "standin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TO_DEVICE = 1, TO_HOST = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct stream default_stream;
static struct stream *streams = &default_stream;

void lock(void)
{
    pthread_mutex_lock(&mutex);
}

void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

void append(struct list *list, const struct work *work)
{
    struct work *own = malloc(sizeof *own);
    *own = *work;
    own->next = NULL;
    if (list->first == NULL)
        list->first = own;
    else
        list->last->next = own;
    list->last = own;
}

static void finish(struct stream *stream)
{
    while (stream->pending.first != NULL) {
        struct work *work = stream->pending.first;
        stream->pending.first = work->next;
        work->run(work->arguments);
        free(work);
    }
}

void finish_all(void)
{
    for (struct stream *stream = streams; stream != NULL; stream = stream->next)
        finish(stream);
}

static void submit(struct stream *stream, void (*run)(void *), const void *arguments, size_t bytes)
{
    struct work work = {.run = run};
    if (bytes > sizeof work.arguments)
        standin_unknown("room for so many arguments");
    memcpy(work.arguments, arguments, bytes);
    lock();
    if (stream == NULL)
        append(&default_stream.pending, &work);
    else
        append(stream == capturing ? &stream->captured : &stream->pending, &work);
    unlock();
}

/* Copies may be left on the streams of all devices, kernels on those of the current one only. */
int standin_launch(struct stream *stream, void (*run)(void *), const void *arguments, size_t bytes)
{
    if (stream != NULL && stream->device != current_device)
        return failed(INVALID_HANDLE);
    submit(stream, run, arguments, bytes);
    return SUCCESS;
}

int cudaStreamCreateWithFlags(struct stream **created, unsigned flags)
{
    struct stream *stream = calloc(1, sizeof *stream);
    stream->device = current_device;
    lock();
    stream->next = default_stream.next;
    default_stream.next = stream;
    unlock();
    standin_log("stream on %d", current_device);
    *created = stream;
    return SUCCESS;
}

int cudaStreamDestroy(struct stream *stream)
{
    lock();
    finish(stream);
    struct stream *before = streams;
    while (before->next != stream)
        before = before->next;
    before->next = stream->next;
    unlock();
    free(stream);
    return SUCCESS;
}

int cudaStreamSynchronize(struct stream *stream)
{
    if (stream != NULL && stream == capturing)
        return standin_unsafe("cudaStreamSynchronize");
    lock();
    finish(stream == NULL ? &default_stream : stream);
    unlock();
    return SUCCESS;
}

int cudaDeviceSynchronize(void)
{
    int refused = standin_unsafe("cudaDeviceSynchronize");
    if (refused)
        return refused;
    lock();
    finish_all();
    unlock();
    return SUCCESS;
}

static void log_copy(size_t bytes, int kind)
{
    if (kind == TO_DEVICE)
        standin_log("sent %zu", bytes);
}

/* Waits for no stream but the default one. */
int cudaMemcpy(void *to, const void *from, size_t bytes, int kind)
{
    int refused = standin_unsafe("cudaMemcpy");
    if (refused)
        return refused;
    lock();
    finish(&default_stream);
    memcpy(to, from, bytes);
    unlock();
    log_copy(bytes, kind);
    return SUCCESS;
}

struct copy {
    void *to;
    const void *from;
    void *held;
    size_t bytes;
};

static void copy(void *arguments)
{
    struct copy *what = arguments;
    memcpy(what->to, what->held == NULL ? what->from : what->held, what->bytes);
    free(what->held);
}

int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, struct stream *stream)
{
    struct copy what = {to, from, NULL, bytes};
    if (stream != NULL && stream == capturing && (kind == TO_DEVICE || kind == TO_HOST))
        standin_unknown("copy from or to the host in a captured graph");
    if (kind == TO_DEVICE) {
        /* CUDA has read ordinary memory of the host when it returns, though it is not yet on the device. */
        what.held = malloc(bytes);
        memcpy(what.held, from, bytes);
    }
    log_copy(bytes, kind);
    submit(stream, copy, &what, sizeof what);
    return SUCCESS;
}
