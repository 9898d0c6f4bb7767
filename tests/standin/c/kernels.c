/* Launches of kernels. The provider registers its kernels' names when it is loaded, and launches them by address. */

#include "standin.h"

#include <stdint.h>

enum { MOST_KERNELS = 1 << 17 };

struct dimensions {
    uint32_t x, y, z;
};

static struct {
    const void *function;
    const char *name;
} kernels[MOST_KERNELS];
static int count = 0;

/* What stands between <<< and >>> in the provider's source, on its way to the launch. */
static __thread struct {
    struct dimensions grid, block;
    size_t shared;
    struct stream *stream;
} configuration;

void **__cudaRegisterFatBinary(void *binary)
{
    static void *handle;
    return &handle;
}

void __cudaRegisterFatBinaryEnd(void **handle)
{
}

void __cudaUnregisterFatBinary(void **handle)
{
}

void __cudaRegisterVar(void **handle, char *host, char *device, const char *name, int external, size_t bytes, int constant,
                       int global)
{
}

void __cudaRegisterFunction(void **handle, const void *function, char *device, const char *name, int threads, void *thread,
                            void *block, void *blocks, void *grid, int *warp)
{
    if (count == MOST_KERNELS)
        standin_unknown("room for so many kernels");
    kernels[count].function = function;
    kernels[count].name = name;
    count++;
}

unsigned __cudaPushCallConfiguration(struct dimensions grid, struct dimensions block, size_t shared, struct stream *stream)
{
    configuration.grid = grid;
    configuration.block = block;
    configuration.shared = shared;
    configuration.stream = stream;
    return 0;
}

int __cudaPopCallConfiguration(struct dimensions *grid, struct dimensions *block, size_t *shared, struct stream **stream)
{
    *grid = configuration.grid;
    *block = configuration.block;
    *shared = configuration.shared;
    *stream = configuration.stream;
    return SUCCESS;
}

int __cudaGetKernel(const void **kernel, const void *function)
{
    *kernel = function;
    return SUCCESS;
}

int __cudaLaunchKernel(const void *function, struct dimensions grid, struct dimensions block, void **parameters,
                       size_t shared, struct stream *stream)
{
    const char *name = "kernel that was not registered";
    for (int i = 0; i < count; i++)
        if (kernels[i].function == function)
            name = kernels[i].name;
    if (!compute(name, parameters, stream))
        standin_unknown(name);
    return cudaPeekAtLastError();
}
