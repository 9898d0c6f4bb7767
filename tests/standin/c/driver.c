/* The driver, which is asked before the runtime is whether there is a GPU at all. */

#include "standin.h"

int cuInit(unsigned flags)
{
    return standin_setting("STANDIN_GPUS", 1) > 0 ? SUCCESS : NO_DEVICE;
}

int cuDeviceGetCount(int *count)
{
    *count = standin_setting("STANDIN_GPUS", 1);
    return SUCCESS;
}
