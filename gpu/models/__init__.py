"""Models of the order book over arrays: shapes, weights, a NumPy reference, and ONNX Runtime on the CPU."""
