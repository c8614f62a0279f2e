#!/bin/sh
# Asks both services for an answer.
set -eu
cd "$(dirname "$0")"
python3 -B -m unittest
