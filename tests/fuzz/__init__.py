"""A mutation fuzzer: bundled models, archives, arrays, reports and text files are damaged, and the command line meets them.

    make fuzz FUZZ=20000 SEED=0                  the long form; started again, it goes on where it was
    python -m tests.fuzz --case 123 --seed 0     one case again, in the foreground, with all it printed

A case is fixed by (seed, number). It goes through the real command line (`onnxspec.cli.main`) in a forked worker that
has imported everything already, and must end with a right report (`oracle`) or an `OnnxspecError`'s exit code: no
traceback, no hang, no memory over the limit, no file outside the output folder (`sandbox`).
"""
