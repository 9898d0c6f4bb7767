"""One path, counted by hand: an independent reading of method.md in float64, with explicit sums and no FFT.

Written from the specification before the package was read, and slow on purpose. It shares nothing with `onnxspec`: no import,
no transform, no vectorised shortcut. The files follow the specification's sections: signals (2), estimators (3), functionals and
common_bins (4), pooling (6), mool (8).
"""
