"""Systems of the form ``paraformer:FOLDER``: Paraformer models as exported for sherpa-onnx."""
