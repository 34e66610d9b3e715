"""
Devices as they answer: CUDA through NVML and torch, MPS, the memory of the machine.

Written against what their documentation promises; CUDA and MPS were not run on a device.
"""
