#!/bin/sh
# Builds the program, runs it and its test.
set -eu
cd "$(dirname "$0")"
python3 -B greeting.py
python3 -B -m unittest
