"""Train an MLP with scikit-learn and export it with skl2onnx: flat 0..255 in, probabilities out.

The file keeps scikit-learn's usual two outputs, the label and the probability of each class.
"""

import time

from fashion import BATCH, HERE, SKLEARN, finish, load
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

HIDDEN = 128
EPOCHS = 20


def main() -> None:
    start = time.perf_counter()
    images, labels = load("train")
    network = MLPClassifier(HIDDEN, batch_size=BATCH, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=0)
    pipeline = make_pipeline(MinMaxScaler(), network)
    pipeline.fit(SKLEARN.apply(images), labels)
    model = to_onnx(
        pipeline,
        initial_types=[("images", FloatTensorType([None, 784]))],
        options={"zipmap": False},
        target_opset=17,
    )
    (HERE / "sklearn.onnx").write_bytes(model.SerializeToString())
    finish("sklearn.onnx", SKLEARN, start)


if __name__ == "__main__":
    main()
