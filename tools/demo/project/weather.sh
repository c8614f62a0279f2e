#!/bin/sh
# The sample project's whole program.
echo "it is ${1:-fine} today"
