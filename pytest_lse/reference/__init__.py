"""Exact truth: correctly rounded kernels, their gradients and the tolerance that honest code keeps."""
