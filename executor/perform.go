package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions"
	"heddle/executor/machine"
	"heddle/expressions"
)

// gate bounds how many attempts are in action.
type gate struct{ places chan struct{} }

func newGate(n int) *gate { return &gate{places: make(chan struct{}, n)} }

func (g *gate) acquire(ctx context.Context) bool {
	select {
	case g.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (g *gate) tryAcquire() bool {
	select {
	case g.places <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g *gate) release() { <-g.places }

// startAttempt begins an attempt; its end comes back as an input of the run.
func (e *engine) startAttempt(l *activeRun, x machine.Execute) {
	ctx, stop := context.WithCancelCause(context.Background())
	key := attemptKey{x.Ref, x.Attempt}
	if !e.trackAttempt(l, key, stop) {
		stop(errAbandoned)
		return
	}
	call := Call{
		RunID: l.id, TenantID: l.run.TenantID, WorkflowID: l.run.WorkflowID,
		StepID: x.Ref.StepID, Iteration: x.Ref.Iteration, Type: x.Type, Attempt: x.Attempt, Key: x.IdempotencyKey, Since: x.KeyFirstUsedAt,
		TraceParent: l.trace.Parent, TraceState: l.trace.State,
	}
	call = e.outgoing(call)
	go func() {
		defer stop(nil)
		defer e.untrackAttempt()
		work := reservation{budget: e.workBudget}
		defer work.release()
		result, failure := e.runAttempt(ctx, l, call, x, &work)
		blob := ""
		if failure == nil {
			result.Output, blob, failure = e.storeOutput(call, result.Output)
		}
		e.mu.Lock()
		delete(l.attempts, key)
		e.mu.Unlock()
		if errors.Is(context.Cause(ctx), errAbandoned) {
			if failure == nil && blob == "" {
				e.keepResults(l, []message{{input: machine.StepEnded{Ref: x.Ref, Attempt: x.Attempt, Output: result.Output, Usage: result.Usage}}})
			}
			e.forgetBlobs([]string{blob})
			return // cut off: whoever drives the run next begins it again, unless it is known how it ended
		}
		e.crash("effect_done")
		e.deliver(l.id, message{input: machine.StepEnded{
			Ref: x.Ref, Attempt: x.Attempt, Output: result.Output, Failure: failure, Usage: result.Usage,
		}, blob: blob}, false)
	}()
}

// runAttempt is an attempt with what it gave redacted. work is the memory that
// its output may take meanwhile.
func (e *engine) runAttempt(ctx context.Context, l *activeRun, call Call, x machine.Execute, work *reservation) (Result, *machine.Failure) {
	call.ReserveMemory = func(n int64) error { return work.resize(ctx, workFactor*n) }
	return e.redacted(ctx, call, func(call Call) (Result, *machine.Failure) {
		result, failure := e.attemptWithinLimits(ctx, l, call, x)
		if n := len(result.Output); n > MaxInline && work.held == 0 { // to wait for more would be to wait with room in hand
			_ = work.resize(context.WithoutCancel(ctx), workFactor*int64(n)) // it ends when it gets the room
		}
		return result, failure
	})
}

// trackAttempt notes an attempt, unless this node stopped since the attempt was
// journalled: then it counts as interrupted and never began.
func (e *engine) trackAttempt(l *activeRun, key attemptKey, stop context.CancelCauseFunc) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped.Load() {
		return false
	}
	if l.attempts == nil {
		l.attempts = make(map[attemptKey]context.CancelCauseFunc)
	}
	l.attempts[key] = stop
	e.inFlight++
	return true
}

func (e *engine) untrackAttempt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight--
	e.idle.Broadcast()
}

// stopAttempt asks an attempt to end; its end is still reported.
func (e *engine) stopAttempt(l *activeRun, key attemptKey) {
	e.mu.Lock()
	stop := l.attempts[key]
	e.mu.Unlock()
	if stop != nil {
		stop(errStopped)
	}
}

// attemptWithinLimits waits for its turn, renders the config and runs the step. Its timeout
// begins only then. A panic fails the attempt alone. l is nil for a step that
// belongs to no run.
func (e *engine) attemptWithinLimits(ctx context.Context, l *activeRun, call Call, x machine.Execute) (result Result, failure *machine.Failure) {
	defer func() {
		if r := recover(); r != nil {
			result, failure = Result{}, e.defect(call, r)
		}
	}()
	if e.svc.cfg.Traits(x.Type).Limit == definitions.LimitScripts {
		if !e.scripts.acquire(ctx) {
			return Result{}, stopped()
		}
		defer e.scripts.release()
	}
	if placer, placed := e.hostNamer(x.Type); placed {
		leave, failure := e.waitForHost(ctx, l, placer, call, x)
		if failure != nil {
			return Result{}, failure
		}
		defer leave()
	}
	if !e.steps.acquire(ctx) {
		return Result{}, stopped()
	}
	defer e.steps.release()
	sending := reservation{budget: e.sendBudget}
	defer sending.release()
	if call.Config, failure = e.renderWithBlobs(ctx, call, x, &sending); failure != nil {
		return Result{}, failure
	}
	return e.callRunner(ctx, call, x)
}

// callRunner performs an attempt whose turn it is, within its time.
func (e *engine) callRunner(ctx context.Context, call Call, x machine.Execute) (Result, *machine.Failure) {
	if x.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.Timeout)
		defer cancel()
	}
	logs := e.logs.open(call)
	defer logs.close()
	call.Logs = logs
	e.crash("effect_sent")
	result, err := e.svc.cfg.Runner.Run(ctx, call)
	if err != nil {
		return result, e.asFailure(ctx, err, x)
	}
	return result, checkOutput(result.Output, x.OutputSchema)
}

// renderWithBlobs renders a config whose expressions may read values that are
// stored apart. A config that came to hold much of them keeps its room.
func (e *engine) renderWithBlobs(ctx context.Context, call Call, x machine.Execute, sending *reservation) (json.RawMessage, *machine.Failure) {
	var loads []machine.BlobRef
	scope, b := x.Scope, e.noBlobs()
	work := reservation{budget: e.workBudget}
	defer work.release()
	for {
		if b != nil {
			scope = machine.WithBlobs(x.Scope, b)
		}
		config, failure := e.render(ctx, call, x.Config, scope)
		w := b.TakeRequest()
		if w == nil {
			if len(config) <= MaxInline {
				sending.release()
			}
			return config, failure
		}
		loads = append(loads, w.Load...)
		work.release()
		if sending.resize(ctx, totalOf(loads)) != nil || e.loadBlobs(ctx, &work, b, loads) != nil {
			return nil, stopped()
		}
	}
}

func (e *engine) asFailure(ctx context.Context, err error, x machine.Execute) *machine.Failure {
	switch {
	case errors.Is(context.Cause(ctx), errStopped):
		return stopped()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &machine.Failure{Error: machine.Error{
			Code: "timeout", Message: fmt.Sprintf("The attempt did not end within %v.", x.Timeout),
		}}
	}
	if failure, ok := machine.AsFailure(err); ok {
		return failure
	}
	return &machine.Failure{Error: machine.Error{Code: "step_failed", Message: err.Error()}}
}

func stopped() *machine.Failure {
	return &machine.Failure{Error: machine.Error{Code: "stopped", Message: "The step was asked to stop."}, Permanent: true}
}

func renderFailure(err error) *machine.Failure {
	code := "expression_failed"
	if ee, ok := errors.AsType[*expressions.Error](err); ok {
		code = ee.Code
	}
	return &machine.Failure{Error: machine.Error{Code: code, Message: "The config could not be rendered: " + err.Error()}, Permanent: true}
}

// checkOutput holds an output against the step's output_schema.
func checkOutput(output, schema json.RawMessage) *machine.Failure {
	if len(schema) == 0 {
		return nil
	}
	checker, err := definitions.NewValueChecker(schema)
	if err != nil {
		return &machine.Failure{Error: machine.Error{Code: "schema_invalid", Message: err.Error()}, Permanent: true}
	}
	issues := checker.Check(output)
	if len(issues) == 0 {
		return nil
	}
	return &machine.Failure{
		Error: machine.Error{
			Code:    "output_schema",
			Message: fmt.Sprintf("The output does not fit output_schema: %s %s.", issues[0].Pointer, issues[0].Message),
			Details: map[string]any{"issues": issues},
		},
		Permanent: true,
	}
}
