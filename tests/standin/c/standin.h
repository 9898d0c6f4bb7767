/* What the files of the stand-in share. */

#ifndef STANDIN_H
#define STANDIN_H

#include <stddef.h>

/* CUDA's numbers for what may become of a call. */
enum {
    SUCCESS = 0,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_HANDLE = 400,
    NOT_WHILE_CAPTURING = 900,
    CAPTURE_INVALIDATED = 901,
};

/* log.c */

/* Appends a line to the file that STANDIN_LOG names: tests read there what happened on the GPU. */
void standin_log(const char *format, ...);

/* Ends the process: nobody shall take for tested what the stand-in does not do. */
void standin_unknown(const char *name);

/* A whole number from the environment. */
long standin_setting(const char *name, long otherwise);

/* devices.c */

extern __thread int current_device;

int gpus(void);

/* Notes for cudaGetLastError how a call failed, and gives its code. */
int failed(int code);

int cudaPeekAtLastError(void);

/* streams.c: all state of the stand-in is changed under one lock, since it need not be fast. */

void lock(void);
void unlock(void);

struct work {
    void (*run)(void *arguments);
    char arguments[96];
    struct work *next;
};

struct list {
    struct work *first;
    struct work *last;
};

struct stream {
    int device;
    struct list pending;  /* until somebody waits for the stream */
    struct list captured; /* since the capture began */
    struct stream *next;
};

void append(struct list *list, const struct work *work);

/* Does all that is pending, on every stream; the lock is held. */
void finish_all(void);

/* Leaves a kernel on a stream for later; NULL is the default stream. */
int standin_launch(struct stream *stream, void (*run)(void *), const void *arguments, size_t bytes);

/* capture.c */

/* The stream on which a graph is captured, or NULL. */
extern struct stream *capturing;

/* What a call that may not be made during a capture, by whatever thread, has to ask first. */
int standin_unsafe(const char *call);

/* arithmetic.c */

/* Leaves a kernel, known by its mangled name, on a stream; 0 where it is none of those that are computed. */
int compute(const char *name, void **parameters, struct stream *stream);

#endif
