// Package steps holds the seven step types: what their config may say (the Go
// struct that decodes it is also its JSON Schema), what validation finds in it,
// and what one attempt does in the outside world. One file and one registry
// line each; condition, loop and wait are entries of the catalog that the run
// machine performs itself.
//
// It promises that nothing it sends reaches an address that the operator did
// not open (Guard), that no process of a script outlives its attempt, and that
// every failure says whether trying again can help. It knows nothing of runs,
// stores or the API: an attempt comes in as an executor.Call and goes out as an
// executor.Result or a machine.Failure.
package steps
