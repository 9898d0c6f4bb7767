/* What tests learn of a run, and how it is told what machine to stand for. */

#include "standin.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void standin_log(const char *format, ...)
{
    const char *name = getenv("STANDIN_LOG");
    if (name == NULL)
        return;
    char line[256];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    /* Opened for each line, since a test's process may start others; in one piece, since threads write at once. */
    int file = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || write(file, line, length) != length)
        abort();
    close(file);
}

void standin_unknown(const char *name)
{
    fprintf(stderr, "The stand-in for CUDA has no %s.\n", name);
    abort();
}

long standin_setting(const char *name, long otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : atol(value);
}
