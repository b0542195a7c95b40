"""Makes a quantized copy of a text model with llama.cpp itself, through the native library that building Tamx leaves behind."""

import argparse
import ctypes
import os

FILE_TYPES = {"q8_0": 7, "q4_k_m": 15, "q6_k": 18}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source")
parser.add_argument("destination")
parser.add_argument("--type", choices=FILE_TYPES, required=True)
parser.add_argument("--library", required=True, help="libtamx_llama.so; its folder holds llama.cpp's libraries too")
arguments = parser.parse_args()

library = ctypes.CDLL(os.path.abspath(arguments.library))
part = arguments.destination + ".part"
status = library.tamx_model_quantize(arguments.source.encode(), part.encode(), FILE_TYPES[arguments.type], 1)
if status != 0:
    raise SystemExit(f"llama.cpp could not quantize {arguments.source} (status {status}).")
os.replace(part, arguments.destination)
print(f"{arguments.destination}: {os.path.getsize(arguments.destination) / 1e6:.2f} MB")
