package main

import "testing"

func TestItNamesWhoIsGreeted(t *testing.T) {
	if got := greeting("you"); got != "hello, you" {
		t.Fatalf("got %q", got)
	}
}
