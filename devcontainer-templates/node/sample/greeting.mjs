export function greeting(name) {
  return `hello, ${name}`;
}

if (import.meta.filename === process.argv[1]) {
  console.log(greeting("sandbox"));
}
