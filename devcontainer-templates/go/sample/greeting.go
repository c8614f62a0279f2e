// Says hello.
package main

import "os"

func greeting(name string) string {
	return "hello, " + name
}

func main() {
	os.Stdout.WriteString(greeting("sandbox") + "\n")
}
