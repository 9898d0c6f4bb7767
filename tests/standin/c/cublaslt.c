/* Handles only: the provider makes one in every session, and has no use for it with these networks. */

int cublasLtCreate(void **handle)
{
    static char any;
    *handle = &any;
    return 0;
}

int cublasLtDestroy(void *handle)
{
    return 0;
}
