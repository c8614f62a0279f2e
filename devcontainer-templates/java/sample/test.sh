#!/bin/sh
# Builds the program, runs it and its test.
set -eu
cd "$(dirname "$0")"
javac -d /tmp/greeting Greeting.java GreetingTest.java
java -cp /tmp/greeting Greeting
java -cp /tmp/greeting GreetingTest
