package versions_test

import (
	"encoding/json"
	"fmt"
	"heddle/versions"
)

// Compare matches steps by id: a step that was added at the head of a list is
// one change, however many steps come after it.
func ExampleCompare() {
	before := json.RawMessage(`{"name":"Ship","steps":[
		{"id":"ship","type":"wait","config":{"seconds":1}}]}`)
	after := json.RawMessage(`{"name":"Ship","steps":[
		{"id":"pack","type":"wait","config":{"seconds":3}},
		{"id":"ship","type":"wait","config":{"seconds":2},"depends_on":["pack"]}]}`)
	diff, err := versions.Compare(before, after)
	if err != nil {
		panic(err)
	}
	fmt.Println(diff.Text(false))
	// Output:
	// Added 1 step, modified 1 step
	//
	// + pack (wait)
	// ~ ship (wait)
	//     ~ config.seconds: 1 → 2
	//     + depends_on: ["pack"]
}
