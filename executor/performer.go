package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/schemas"
	"heddle/executor/machine"
	"heddle/expressions"
	"runtime/debug"
	"sync"

	"golang.org/x/sync/semaphore"
)

// performer runs attempts: it waits for the limits, renders the config, calls the
// Runner, and sends the end back to the run as a message. It knows nothing of
// journals and slots. Any driver may call it.
type performer struct {
	cfg      *Config
	term     *term
	registry *registry
	hosts    *hostLimiter
	values   *largeValues
	logs     *logbook
	steps    *semaphore.Weighted // attempts in flight
	scripts  *semaphore.Weighted // attempts of scripts in flight

	// mu guards inFlight and the attempts of every activeRun.
	mu       sync.Mutex
	inFlight int        // attempts of runs, those of unloaded runs included
	idle     *sync.Cond // broadcast when inFlight shrinks; over mu
}

// attemptKey identifies an attempt within its run.
type attemptKey struct {
	ref machine.Ref
	n   int // 1 is the first
}

// newPerformer makes a performer and starts the writer of its log lines.
func newPerformer(cfg *Config, t *term, r *registry, hosts *hostLimiter, values *largeValues) *performer {
	p := &performer{
		cfg: cfg, term: t, registry: r, hosts: hosts, values: values,
		steps: semaphore.NewWeighted(int64(cfg.MaxSteps)), scripts: semaphore.NewWeighted(int64(cfg.MaxScripts)),
	}
	p.idle = sync.NewCond(&p.mu)
	p.logs = newLogbook(cfg, p.redaction)
	return p
}

// trackAttempt counts an attempt that is about to begin, and keeps stop for it. It
// reports false where this node stopped since the attempt was journalled: then the
// attempt counts as interrupted and must not begin.
func (p *performer) trackAttempt(a *activeRun, key attemptKey, stop context.CancelCauseFunc) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.term.state().journals() {
		return false
	}
	if a.attempts == nil {
		a.attempts = make(map[attemptKey]context.CancelCauseFunc)
	}
	a.attempts[key] = stop
	p.inFlight++
	return true
}

// detachAttempt forgets how to stop an attempt: it has ended.
func (p *performer) detachAttempt(a *activeRun, key attemptKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(a.attempts, key)
}

// untrackAttempt counts an attempt as gone, after its end was delivered.
func (p *performer) untrackAttempt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	p.idle.Broadcast()
}

// stopAttempt asks an attempt to end, if it is in flight; its end is still
// reported.
func (p *performer) stopAttempt(a *activeRun, key attemptKey) {
	p.mu.Lock()
	stop := a.attempts[key]
	p.mu.Unlock()
	if stop != nil {
		stop(errStopped)
	}
}

// abandon cuts off all attempts of a run; their ends are not reported.
func (p *performer) abandon(a *activeRun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stop := range a.attempts {
		stop(errAbandoned)
	}
}

// count returns how many attempts are in flight.
func (p *performer) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inFlight
}

// awaitIdle waits until no attempt is in flight, or ctx ends.
func (p *performer) awaitIdle(ctx context.Context) {
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.idle.Broadcast()
	})()
	p.mu.Lock()
	defer p.mu.Unlock()
	for ctx.Err() == nil && p.inFlight > 0 {
		p.idle.Wait()
	}
}

// startAttempt begins an attempt in a goroutine of its own; its end comes back as a
// message of the run. The attempt is journalled as started before.
func (p *performer) startAttempt(a *activeRun, x machine.Execute) {
	ctx, stop := context.WithCancelCause(context.Background())
	key := attemptKey{x.Ref, x.Attempt}
	if !p.trackAttempt(a, key, stop) {
		stop(errAbandoned)
		return
	}
	call := Call{
		RunID: a.id, TenantID: a.run.TenantID, WorkflowID: a.run.WorkflowID,
		StepID: x.Ref.StepID, Iteration: x.Ref.Iteration, Type: x.Type, Attempt: x.Attempt, Key: x.IdempotencyKey, Since: x.KeyFirstUsedAt,
		TraceParent: a.trace.Parent, TraceState: a.trace.State,
	}
	call = p.outgoing(call)
	go func() {
		defer stop(nil)
		defer p.untrackAttempt()
		work := reservation{budget: p.values.work}
		defer work.release()
		result, failure := p.runAttempt(ctx, a, call, x, &work)
		blob := ""
		if failure == nil {
			result.Output, blob, failure = p.values.storeOutput(call, result.Output)
		}
		p.detachAttempt(a, key)
		if errors.Is(context.Cause(ctx), errAbandoned) {
			if failure == nil && blob == "" {
				p.registry.keepResults(a, []message{{input: machine.StepEnded{Ref: x.Ref, Attempt: x.Attempt, Output: result.Output, Usage: result.Usage}}})
			}
			p.values.forget([]string{blob})
			return // cut off: the run's next driver begins it again, unless its end was kept
		}
		p.cfg.Crash("effect_done")
		p.registry.deliver(a.id, message{input: machine.StepEnded{
			Ref: x.Ref, Attempt: x.Attempt, Output: result.Output, Failure: failure, Usage: result.Usage,
		}, blob: blob}, false)
	}()
}

// runAttempt performs an attempt and redacts its output and failure. work is the
// memory that its output may take until it is stored.
func (p *performer) runAttempt(ctx context.Context, a *activeRun, call Call, x machine.Execute, work *reservation) (Result, *machine.Failure) {
	call.ReserveMemory = func(n int64) error { return work.resize(ctx, workFactor*n) }
	return p.redacted(ctx, call, func(call Call) (Result, *machine.Failure) {
		result, failure := p.attemptWithinLimits(ctx, a, call, x)
		if n := len(result.Output); n > MaxInline && work.held == 0 { // to wait for more would be to wait while holding memory
			_ = work.resize(context.WithoutCancel(ctx), workFactor*int64(n)) // cannot be cancelled: it waits only for work that ends
		}
		return result, failure
	})
}

// attemptWithinLimits waits for the limits of scripts, hosts and steps, in this
// order, renders the config and calls the runner. The step's timeout begins only
// then. A panic fails the attempt alone. a is nil for a step that belongs to no run.
func (p *performer) attemptWithinLimits(ctx context.Context, a *activeRun, call Call, x machine.Execute) (result Result, failure *machine.Failure) {
	defer func() {
		if r := recover(); r != nil {
			result, failure = Result{}, p.defect(call, r)
		}
	}()
	if p.cfg.Traits(x.Type).Limit == definitions.LimitScripts {
		if p.scripts.Acquire(ctx, 1) != nil {
			return Result{}, stopped()
		}
		defer p.scripts.Release(1)
	}
	if placer, placed := p.hostNamer(x.Type); placed {
		leave, failure := p.waitForHost(ctx, a, placer, call, x)
		if failure != nil {
			return Result{}, failure
		}
		defer leave()
	}
	if p.steps.Acquire(ctx, 1) != nil {
		return Result{}, stopped()
	}
	defer p.steps.Release(1)
	sending := reservation{budget: p.values.sending}
	defer sending.release()
	if call.Config, failure = p.renderWithBlobs(ctx, call, x, &sending); failure != nil {
		return Result{}, failure
	}
	return p.callRunner(ctx, call, x)
}

// callRunner performs an attempt within its timeout and checks the output against
// the step's schema.
func (p *performer) callRunner(ctx context.Context, call Call, x machine.Execute) (Result, *machine.Failure) {
	if x.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.Timeout)
		defer cancel()
	}
	logs := p.logs.open(call)
	defer logs.close()
	call.Logs = logs
	p.cfg.Crash("effect_sent")
	result, err := p.cfg.Runner.Run(ctx, call)
	if err != nil {
		return result, p.asFailure(ctx, err, x)
	}
	return result, checkOutput(result.Output, x.OutputSchema)
}

// asFailure returns the failure that an error of the runner stands for: stopped,
// timeout, its own, or step_failed.
func (p *performer) asFailure(ctx context.Context, err error, x machine.Execute) *machine.Failure {
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

// stopped is the permanent failure of an attempt that was asked to stop.
func stopped() *machine.Failure {
	return &machine.Failure{Error: machine.Error{Code: "stopped", Message: "The step was asked to stop."}, Permanent: true}
}

// renderFailure is the permanent failure of a config that cannot be rendered.
func renderFailure(err error) *machine.Failure {
	code := "expression_failed"
	if ee, ok := errors.AsType[*expressions.Error](err); ok {
		code = ee.Code
	}
	return &machine.Failure{Error: machine.Error{Code: code, Message: "The config could not be rendered: " + err.Error()}, Permanent: true}
}

// checkOutput returns the failure output_schema where an output does not fit the
// step's output_schema; nil: it fits, or there is no schema.
func checkOutput(output, schema json.RawMessage) *machine.Failure {
	if len(schema) == 0 {
		return nil
	}
	checker, err := schemas.NewChecker(schema)
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

// outgoing makes an attempt send its own span as the parent. Without a tracer the
// caller's traceparent is passed on unchanged.
func (p *performer) outgoing(call Call) Call {
	if t := p.cfg.Tracer; t != nil {
		call.TraceParent = t.Outgoing(call)
	}
	return call
}

// defect is the failure of an attempt that panicked: it fails alone, and permanently.
func (p *performer) defect(call Call, panicked any) *machine.Failure {
	p.cfg.Log.Error("a step panicked", "run_id", call.RunID, "step_id", call.StepID, "type", call.Type,
		"panic", panicked, "stack", string(debug.Stack()))
	failure := &machine.Failure{Permanent: true}
	failure.Code = "step_defect"
	failure.Message = fmt.Sprintf("The step type %s failed on its own account; this is a defect of Heddle.", call.Type)
	return failure
}
