package api_test

import (
	"context"
	"encoding/json"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/await"
	"strings"
	"sync"
	"testing"
)

const gateURL = "https://gate.example/"

// gate performs the steps that call gateURL as the word after it says, and every
// other step as the product does: ok ends well, fail fails permanently, later fails
// for now, hold waits until the test opens the gate, even when its run is stopped.
type gate struct {
	executor.Runner
	entered chan string // ids of steps that are held
	opened  chan struct{}
	open    func()
}

func newGate() *gate {
	g := &gate{entered: make(chan string, 64), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	return g
}

func (g *gate) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	var config struct{ URL string }
	_ = json.Unmarshal(call.Config, &config) // a config of another kind has none
	word, ours := strings.CutPrefix(config.URL, gateURL)
	if !ours {
		return g.Runner.Run(ctx, call)
	}
	var failure *machine.Failure
	switch word {
	case "hold":
		g.entered <- call.StepID
		<-g.opened
	case "fail", "later":
		failure = &machine.Failure{Error: machine.Error{Code: "http_status", Message: "It answered 500."}, Permanent: word == "fail"}
	}
	return executor.Result{Output: json.RawMessage(`{"status_code":200,"headers":{},"body":"well"}`)}, failure.Err()
}

// holds waits until the step of that id is held.
func (g *gate) holds(t testing.TB, stepID string) {
	t.Helper()
	if got := await.Receive(t, "step "+stepID+" is reached", g.entered); got != stepID {
		t.Fatalf("step %s is held, want %s", got, stepID)
	}
}

// gated is a step that does what the word says. more is added to it.
func gated(id, word, more string) string {
	return `{"id":"` + id + `","type":"http_request","config":{"url":"` + gateURL + word + `"}` + more + `}`
}
