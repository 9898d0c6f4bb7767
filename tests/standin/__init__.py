"""A stand-in for CUDA, with which ONNX Runtime's own CUDA provider runs on a machine without a GPU.

The provider's library is the real one, of the installed onnxruntime-gpu. The libraries of NVIDIA's that it loads are built
here, from the few files in `c/`: GPUs whose memory is this machine's and ends, streams on which nothing is done until
somebody waits for them, and graphs during whose capture no thread may allocate. What onnxspec does on CUDA is so
tried wherever there is a C compiler: which sessions it makes and on which device, what it sends there, what it does when
memory runs out, that captures are left alone.

It is no GPU. Matrix products and five other kernels are computed, by plain loops; a network that takes more ends the
process. How fast anything is, how a GPU rounds, cuDNN, and all kernels that networks with convolutions take,
are not tried here: that is for the tests marked `gpu`, on a machine that has one.
"""
