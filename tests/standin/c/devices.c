/* GPUs and their memory: STANDIN_GPUS of them, each with STANDIN_BYTES of memory, which is this machine's. */

#include "standin.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_GPUS = 8, USUAL_BYTES = 1 << 28 };

__thread int current_device = 0;
static __thread int last_error = SUCCESS;
static size_t used[MOST_GPUS];

int gpus(void)
{
    return standin_setting("STANDIN_GPUS", 1);
}

int failed(int code)
{
    last_error = code;
    return code;
}

static size_t memory(void)
{
    return standin_setting("STANDIN_BYTES", USUAL_BYTES);
}

int cudaGetDeviceCount(int *count)
{
    *count = gpus();
    return *count > 0 ? SUCCESS : failed(NO_DEVICE);
}

int cudaSetDevice(int device)
{
    if (gpus() == 0)
        return failed(NO_DEVICE);
    if (device >= gpus())
        return failed(INVALID_DEVICE);
    current_device = device;
    return SUCCESS;
}

int cudaGetDevice(int *device)
{
    *device = current_device;
    return gpus() > 0 ? SUCCESS : failed(NO_DEVICE);
}

/* Of the structure, of 1,008 bytes in CUDA 13, only what the provider reads before it runs a kernel. */
int cudaGetDeviceProperties(char *properties, int device)
{
    if (device >= gpus())
        return failed(INVALID_DEVICE);
    memset(properties, 0, 1008);
    strcpy(properties, "stand-in");
    *(size_t *)(properties + 288) = memory();
    *(int *)(properties + 308) = 32;   /* threads of a warp */
    *(int *)(properties + 320) = 1024; /* threads of a block, at most */
    *(int *)(properties + 360) = 9;    /* compute capability: 9.0 is Hopper's, which has TF32 */
    *(int *)(properties + 384) = 4;    /* multiprocessors */
    return SUCCESS;
}

struct allocation {
    size_t bytes;
    int device;
};

/* In front of every piece of memory; a whole line of it, since CUDA's pieces begin at multiples of 256. */
enum { HEADER = 256 };

int cudaMalloc(void **address, size_t bytes)
{
    int refused = standin_unsafe("cudaMalloc");
    if (refused)
        return refused;
    lock();
    int fits = used[current_device] + bytes <= memory();
    if (fits)
        used[current_device] += bytes;
    unlock();
    standin_log("%s %zu on %d", fits ? "allocated" : "refused", bytes, current_device);
    if (!fits)
        return failed(OUT_OF_MEMORY);
    char *piece = aligned_alloc(HEADER, HEADER + (bytes + HEADER - 1) / HEADER * HEADER);
    *(struct allocation *)piece = (struct allocation){bytes, current_device};
    *address = piece + HEADER;
    /* Every float is NaN, so that figures show where memory is read that nobody wrote to. */
    memset(*address, 0xff, bytes);
    return SUCCESS;
}

int cudaFree(void *address)
{
    if (address == NULL)
        return SUCCESS;
    int refused = standin_unsafe("cudaFree");
    if (refused)
        return refused;
    struct allocation *piece = (struct allocation *)((char *)address - HEADER);
    lock();
    finish_all(); /* as CUDA does before it takes memory back */
    used[piece->device] -= piece->bytes;
    unlock();
    standin_log("freed %zu on %d", piece->bytes, piece->device);
    free(piece);
    return SUCCESS;
}

int cudaMemGetInfo(size_t *unused, size_t *total)
{
    lock();
    *total = memory();
    *unused = *total - used[current_device];
    unlock();
    return SUCCESS;
}

int cudaGetLastError(void)
{
    int code = last_error;
    last_error = SUCCESS;
    return code;
}

int cudaPeekAtLastError(void)
{
    return last_error;
}

const char *cudaGetErrorString(int code)
{
    switch (code) {
    case OUT_OF_MEMORY:
        return "out of memory";
    case NO_DEVICE:
        return "no CUDA-capable device is detected";
    case INVALID_DEVICE:
        return "invalid device ordinal";
    case INVALID_HANDLE:
        return "invalid resource handle";
    case NOT_WHILE_CAPTURING:
        return "operation not permitted when stream is capturing";
    case CAPTURE_INVALIDATED:
        return "operation failed due to a previous error during capture";
    default:
        return "error";
    }
}
