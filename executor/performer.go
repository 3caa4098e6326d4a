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

// performer runs attempts: it waits for the limits, renders the config, calls the Runner,
// redacts what comes back, and delivers the end to the run as a message. It knows nothing
// of journals and slots. It is safe for concurrent use. Each attempt has a goroutine of its
// own, which lives at most until the attempt has ended.
type performer struct {
	cfg      *Config
	term     *term
	registry *registry
	hosts    *hostLimiter
	values   *largeValues
	logs     *logbook
	steps    *semaphore.Weighted // attempts in flight: Config.MaxSteps
	scripts  *semaphore.Weighted // attempts of scripts in flight: Config.MaxScripts

	// mu guards inFlight and the attempts of every activeRun. The term's state is read with
	// it held when an attempt begins, and aborting is entered before the attempts are cut
	// off, so that each attempt is either prevented or cut off.
	mu       sync.Mutex
	inFlight int        // attempts of runs, those of unloaded runs included
	idle     *sync.Cond // broadcast when inFlight shrinks; over mu
}

// attemptKey identifies an attempt within its run. Numbers are not reused for a position.
type attemptKey struct {
	ref machine.Ref
	n   int // 1 is the first
}

// newPerformer makes a performer and starts the goroutine that writes its log lines;
// logbook.close ends that.
func newPerformer(cfg *Config, t *term, r *registry, hosts *hostLimiter, values *largeValues) *performer {
	p := &performer{
		cfg: cfg, term: t, registry: r, hosts: hosts, values: values,
		steps: semaphore.NewWeighted(int64(cfg.MaxSteps)), scripts: semaphore.NewWeighted(int64(cfg.MaxScripts)),
	}
	p.idle = sync.NewCond(&p.mu)
	p.logs = newLogbook(cfg, p.redaction)
	return p
}

// trackAttempt counts an attempt that is about to begin, and keeps stop for it. It reports
// false where this node may no longer journal since the attempt was journalled as
// started: then the attempt counts as interrupted and must not begin.
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

// detachAttempt forgets how to stop an attempt that has ended, so that its end, which is
// still to be delivered, is not cut off. The attempt counts as in flight until
// untrackAttempt.
func (p *performer) detachAttempt(a *activeRun, key attemptKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(a.attempts, key)
}

// untrackAttempt counts an attempt as gone. It comes after its end was delivered, so that
// awaitIdle does not return while an end is on its way to its run.
func (p *performer) untrackAttempt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	p.idle.Broadcast()
}

// stopAttempt asks an attempt to end, if it is in flight, and does not wait for that. Its
// end is reported as usual: as the failure "stopped", or as it ended just before.
func (p *performer) stopAttempt(a *activeRun, key attemptKey) {
	p.mu.Lock()
	stop := a.attempts[key]
	p.mu.Unlock()
	if stop != nil {
		stop(errStopped)
	}
}

// abandon cuts off all attempts of a run, which this node no longer drives. Their ends are
// not delivered; one that succeeded all the same is kept by keepResults.
func (p *performer) abandon(a *activeRun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stop := range a.attempts {
		stop(errAbandoned)
	}
}

// count returns how many attempts are in flight, those of unloaded runs included.
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

// startAttempt begins an attempt in a goroutine of its own and returns at once; its end
// comes back as a machine.StepEnded message of the run. The start of the attempt must be
// durable. Only the run's driver calls it. If the node may no longer journal the attempt
// does not begin, and the run's next driver interrupts it.
func (p *performer) startAttempt(a *activeRun, x machine.Execute) {
	ctx, stop := context.WithCancelCause(context.Background())
	key := attemptKey{x.Ref, x.Attempt}
	if !p.trackAttempt(a, key, stop) {
		stop(errAbandoned)
		// Where the node stopped while the run was being stored, nothing else tells
		// its driver to unload it.
		p.registry.deliverToDriver(a, message{input: machine.Tick{}})
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
		// work is released only after the output was delivered or stored.
		result, failure := p.runAttempt(ctx, a, call, x, &work)
		blob := ""
		if failure == nil {
			result.Output, blob, failure = p.values.storeOutput(call, result.Output)
		}
		rendered := p.values.storeRendered(call, result.rendered)
		// From here on the attempt cannot be cut off: either it was before, which the next
		// line sees, or its end is delivered.
		p.detachAttempt(a, key)
		if errors.Is(context.Cause(ctx), errAbandoned) {
			if failure == nil && blob == "" {
				p.registry.keepResults(a, []message{{input: machine.StepEnded{Ref: x.Ref, Attempt: x.Attempt, Output: result.Output, Usage: result.Usage}}})
			}
			p.values.forget(append(rendered.blobs(), blob))
			return // cut off: the run's next driver begins it again, unless its end was kept
		}
		p.cfg.Crash("effect_done")
		p.registry.deliver(a.id, message{input: machine.StepEnded{
			Ref: x.Ref, Attempt: x.Attempt, Output: result.Output, Failure: failure, Usage: result.Usage,
		}, blob: blob, rendered: rendered}, false)
	}()
}

// runAttempt performs an attempt and redacts its output and failure. work is the memory for
// its output; the caller releases it once the output has been handed on or stored. a is nil
// for a step that belongs to no run.
func (p *performer) runAttempt(ctx context.Context, a *activeRun, call Call, x machine.Execute, work *reservation) (Result, *machine.Failure) {
	call.ReserveMemory = func(n int64) error { return work.resize(ctx, workFactor*n) }
	call.retain = x.Retain
	return p.redacted(ctx, call, func(call Call) (Result, *machine.Failure) {
		result, failure := p.attemptWithinLimits(ctx, a, call, x)
		n := len(result.Output)
		if retains(call.retain, failure) {
			n = max(n, len(result.rendered))
		}
		if n > MaxInline && work.held == 0 { // to wait for more would be to wait while holding memory
			_ = work.resize(context.WithoutCancel(ctx), workFactor*int64(n)) // cannot be cancelled: it waits only for work that ends
		}
		return result, failure
	})
}

// attemptWithinLimits waits for the limits of scripts, hosts and steps, in this order, then
// renders the config and calls the runner. The order is from the narrowest limit to the
// widest, so that an attempt which waits for a host or for scripts keeps no place among the
// steps. The step's timeout begins only after the waits. A panic fails the attempt alone,
// with step_defect. a is nil for a step that belongs to no run.
func (p *performer) attemptWithinLimits(ctx context.Context, a *activeRun, call Call, x machine.Execute) (result Result, failure *machine.Failure) {
	defer func() {
		if r := recover(); r != nil {
			result, failure = Result{}, p.defect(call, r)
		}
		result.rendered = call.Config
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
	// The config may hold contents of blobs for as long as the attempt lasts.
	defer sending.release()
	// After the last wait, so that a config with secrets or large values is not held longer
	// than the attempt needs it.
	if call.Config, failure = p.renderWithBlobs(ctx, call, x, &sending); failure != nil {
		return Result{}, failure
	}
	return p.callRunner(ctx, call, x)
}

// callRunner performs an attempt within its timeout and checks the output against the
// step's output_schema. The log of the attempt is closed when it returns. An output may
// come with a failure: the machine ignores it and keeps the usage.
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

// asFailure returns the failure that an error of the runner stands for: "stopped" if the
// attempt was asked to stop, else "timeout" if its time is over, else the runner's own,
// else the transient failure step_failed.
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

// stopped returns the permanent failure of an attempt that was asked to stop, or that was
// cut off before it began.
func stopped() *machine.Failure {
	return &machine.Failure{Error: machine.Error{Code: "stopped", Message: "The step was asked to stop."}, Permanent: true}
}

// renderFailure returns the permanent failure of a config that cannot be rendered, with the
// code of the expression's error or expression_failed. Another attempt would render the
// same.
func renderFailure(err error) *machine.Failure {
	code := "expression_failed"
	if ee, ok := errors.AsType[*expressions.Error](err); ok {
		code = ee.Code
	}
	return &machine.Failure{Error: machine.Error{Code: code, Message: "The config could not be rendered: " + err.Error()}, Permanent: true}
}

// checkOutput returns the permanent failure output_schema where an output does not fit the
// step's output_schema, with all issues among its details; nil: it fits, or there is no
// schema. The schema is compiled for each attempt.
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

// outgoing returns the call with the traceparent that the attempt sends on: that of its own
// span. Without a tracer the one that the run was started with is passed on unchanged.
func (p *performer) outgoing(call Call) Call {
	if t := p.cfg.Tracer; t != nil {
		call.TraceParent = t.Outgoing(call)
	}
	return call
}

// defect logs a panic of an attempt with its stack and returns the permanent failure
// step_defect. What the panic says goes to the log alone, because it may hold secrets.
func (p *performer) defect(call Call, panicked any) *machine.Failure {
	p.cfg.Log.Error("a step panicked", "run_id", call.RunID, "step_id", call.StepID, "type", call.Type,
		"panic", panicked, "stack", string(debug.Stack()))
	failure := &machine.Failure{Permanent: true}
	failure.Code = "step_defect"
	failure.Message = fmt.Sprintf("The step type %s failed on its own account; this is a defect of Heddle.", call.Type)
	return failure
}
