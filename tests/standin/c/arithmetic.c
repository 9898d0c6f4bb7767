/* The few kernels that the tests' networks, and paths in their graphs, are made of.

   They are known by parts of their mangled names, and read their parameters by position: both are ONNX Runtime's own,
   and may change with its version. */

#include "standin.h"

#include <stdint.h>
#include <string.h>

#define POINTER(position) (*(void **)parameters[position])
#define INT(position) (*(int32_t *)parameters[position])
#define LONG(position) (*(int64_t *)parameters[position])

struct unary {
    const void *in;
    float *out;
    int64_t count;
};

static void relu(void *arguments)
{
    struct unary *a = arguments;
    const float *in = a->in;
    for (int64_t i = 0; i < a->count; i++)
        a->out[i] = in[i] < 0 ? 0 : in[i];
}

static void cast_bytes(void *arguments)
{
    struct unary *a = arguments;
    const uint8_t *in = a->in;
    for (int64_t i = 0; i < a->count; i++)
        a->out[i] = in[i];
}

/* The left operand moves on with the elements or stays; the right one moves on once in `stretch` of them. */
struct binary {
    const float *left, *right;
    float *out;
    int64_t count, left_moves, stretch;
};

static void add(void *arguments)
{
    struct binary *a = arguments;
    for (int64_t i = 0; i < a->count; i++)
        a->out[i] = a->left[a->left_moves ? i : 0] + a->right[i / a->stretch];
}

static void multiply(void *arguments)
{
    struct binary *a = arguments;
    for (int64_t i = 0; i < a->count; i++)
        a->out[i] = a->left[a->left_moves ? i : 0] * a->right[i / a->stretch];
}

struct gather {
    const int64_t *indices;
    const float *in;
    float *out;
    int64_t count, rows, in_block, out_block, row;
};

static void gather(void *arguments)
{
    struct gather *a = arguments;
    for (int64_t i = 0; i < a->count; i++) {
        int64_t place = i % a->out_block;
        int64_t index = a->indices[place / a->row];
        if (index < 0)
            index += a->rows;
        a->out[i] = a->in[i / a->out_block * a->in_block + index * a->row + place % a->row];
    }
}

static int unary(void (*run)(void *), void **parameters, struct stream *stream)
{
    struct unary a = {POINTER(0), POINTER(1), LONG(3)};
    standin_launch(stream, run, &a, sizeof a);
    return 1;
}

static int binary(void (*run)(void *), struct binary a, struct stream *stream)
{
    standin_launch(stream, run, &a, sizeof a);
    return 1;
}

int compute(const char *name, void **parameters, struct stream *stream)
{
    if (strstr(name, "UnaryElementWiseIffNS0_7OP_Relu"))
        return unary(relu, parameters, stream);
    if (strstr(name, "UnaryElementWiseIhfNS0_7OP_Cast"))
        return unary(cast_bytes, parameters, stream);

    void (*operation)(void *) = strstr(name, "OP_Add") ? add : strstr(name, "OP_Mul") ? multiply : NULL;
    const char *moves = strstr(name, "BinaryElementWiseSimpleILb");
    if (operation != NULL && moves != NULL && strstr(name, "Efff")) {
        /* "ILb1ELb0E": whether the left operand moves on with the elements, and whether the right one does. */
        moves += strlen("BinaryElementWiseSimpleILb");
        int64_t count = INT(4), once = count + 1;
        struct binary a = {POINTER(0), POINTER(1), POINTER(2), count, moves[0] == '1', moves[4] == '1' ? 1 : once};
        return binary(operation, a, stream);
    }
    if (operation != NULL && strstr(name, "RhsPerChannelBatch1Ifff")) {
        struct binary a = {POINTER(0), POINTER(1), POINTER(3), INT(5), 1, INT(2)};
        return binary(operation, a, stream);
    }
    /* For elements of four bytes, and 64-bit indices. */
    if (strstr(name, "_GatherKernelIi") && LONG(5) == sizeof(int64_t)) {
        struct gather a = {POINTER(4), POINTER(6), POINTER(7), INT(8), LONG(1), LONG(0), INT(2), INT(3)};
        standin_launch(stream, gather, &a, sizeof a);
        return 1;
    }
    return 0;
}
