/* Matrix products in float32, as fully connected layers take them. */

#include "standin.h"

#include <stdlib.h>

enum { TF32_MATH = 3 };

struct handle {
    struct stream *stream;
    int math;
};

struct product {
    const float *a, *b;
    float *c;
    int a_transposed, b_transposed, m, n, k, lda, ldb, ldc;
    float alpha, beta;
};

/* The library itself allocates and frees for a handle. */
int cublasCreate_v2(struct handle **created)
{
    if (standin_unsafe("cublasCreate"))
        return 3; /* CUBLAS_STATUS_ALLOC_FAILED */
    *created = calloc(1, sizeof **created);
    return 0;
}

int cublasDestroy_v2(struct handle *handle)
{
    if (standin_unsafe("cublasDestroy"))
        return 14; /* CUBLAS_STATUS_INTERNAL_ERROR */
    free(handle);
    return 0;
}

int cublasSetStream_v2(struct handle *handle, struct stream *stream)
{
    handle->stream = stream;
    return 0;
}

int cublasSetMathMode(struct handle *handle, int math)
{
    handle->math = math;
    return 0;
}

int cublasGetMathMode(struct handle *handle, int *math)
{
    *math = handle->math;
    return 0;
}

static void multiply(void *arguments)
{
    struct product *p = arguments;
    for (int column = 0; column < p->n; column++)
        for (int row = 0; row < p->m; row++) {
            float sum = 0;
            for (int i = 0; i < p->k; i++) {
                float left = p->a[p->a_transposed ? i + row * p->lda : row + i * p->lda];
                float right = p->b[p->b_transposed ? column + i * p->ldb : i + column * p->ldb];
                sum += left * right;
            }
            float *c = &p->c[row + column * p->ldc];
            /* What is there may be anything where nothing of it is wanted. */
            *c = p->alpha * sum + (p->beta == 0 ? 0 : p->beta * *c);
        }
}

int cublasSgemm_v2(struct handle *handle, int a_transposed, int b_transposed, int m, int n, int k, const float *alpha,
                   const float *a, int lda, const float *b, int ldb, const float *beta, float *c, int ldc)
{
    struct product p = {a, b, c, a_transposed, b_transposed, m, n, k, lda, ldb, ldc, *alpha, *beta};
    const char *override = getenv("NVIDIA_TF32_OVERRIDE");
    standin_log("product of %d on %d, TF32 %s, override %s", n, current_device, handle->math == TF32_MATH ? "on" : "off",
                override == NULL ? "unset" : override);
    return standin_launch(handle->stream, multiply, &p, sizeof p);
}
