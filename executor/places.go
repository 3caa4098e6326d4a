package executor

import (
	"context"
	"heddle/executor/machine"
	"sync"
)

// HostNamer is what a Runner may be beside: it names what many attempts at once
// would crowd, such as the host that a webhook goes to. At most
// Config.MaxPerHost attempts are in action at one place. The others wait
// without a slot, so that a place where nothing ends holds up nobody else.
type HostNamer interface {
	// NamesHost tells whether attempts of a type can have a place.
	NamesHost(typeName string) bool
	// HostOf names the place of an attempt whose config is rendered; "": none.
	HostOf(call Call) string
}

// maxLending is how many runs may be in memory for runs to give their slots up
// while they wait: what waits has to stay there.
const maxLending = 2000

// hostLimiter are the gates of places that somebody is at, or waits for.
type hostLimiter struct {
	limit int

	mu     sync.Mutex
	byHost map[string]*hostLimit
}

type hostLimit struct {
	gate  *gate
	users int
}

func newHostLimiter(most int) *hostLimiter {
	return &hostLimiter{limit: most, byHost: make(map[string]*hostLimit)}
}

// acquireRef gives a place and what forgets it again when nobody else is there.
func (p *hostLimiter) acquireRef(name string) (g *gate, forget func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.byHost[name]
	if at == nil {
		at = &hostLimit{gate: newGate(p.limit)}
		p.byHost[name] = at
	}
	at.users++
	return at.gate, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(p.byHost, name)
		}
	}
}

// hostNamer tells whether the runner may have a place for a type.
func (e *engine) hostNamer(typeName string) (HostNamer, bool) {
	p, ok := e.svc.cfg.Runner.(HostNamer)
	return p, ok && p.NamesHost(typeName)
}

// waitForHost finds an attempt's place and waits there. The config is rendered for
// that alone and again afterwards: what waits holds none in memory.
func (e *engine) waitForHost(ctx context.Context, l *activeRun, placer HostNamer, call Call, x machine.Execute) (leave func(), failure *machine.Failure) {
	sending := reservation{budget: e.sendBudget}
	defer sending.release()
	if call.Config, failure = e.renderWithBlobs(ctx, call, x, &sending); failure != nil {
		return nil, failure
	}
	name := placer.HostOf(call)
	call.Config = nil
	sending.release()
	leave, ok := e.acquireHost(ctx, l, name)
	if !ok {
		return nil, stopped()
	}
	return leave, nil
}

// acquireHost waits until there is room at a place; meanwhile the run steps
// aside. l is nil for a step that belongs to no run. False: the attempt was
// stopped.
func (e *engine) acquireHost(ctx context.Context, l *activeRun, name string) (leave func(), ok bool) {
	if name == "" {
		return func() {}, true
	}
	g, forget := e.hosts.acquireRef(name)
	leave = func() {
		g.release()
		forget()
	}
	if g.tryAcquire() {
		return leave, true
	}
	e.postToDriver(l, message{hostWait: 1})
	if !g.acquire(ctx) {
		forget()
		e.postToDriver(l, message{hostWait: -1})
		return nil, false
	}
	back := make(chan struct{})
	if e.postToDriver(l, message{hostWait: -1, resumed: back}) {
		select {
		case <-back:
		case <-ctx.Done():
			leave()
			return nil, false
		}
	}
	return leave, true
}

// postToDriver tells a run's driver that one of its attempts steps aside or comes
// back. False: nobody drives it any more.
func (e *engine) postToDriver(l *activeRun, env message) bool {
	if l == nil {
		return false
	}
	e.mu.Lock()
	if e.runs[l.id] != l {
		e.mu.Unlock()
		return false
	}
	l.mailbox = append(l.mailbox, env)
	start := !l.driven
	l.driven = true
	e.mu.Unlock()
	if start {
		go e.drive(l)
	}
	return true
}

// updateHostWaits notes which attempts stepped aside or came back, and gives the
// other envelopes. Who comes back has had its turn: it gets the slot beyond the
// limit.
func (e *engine) updateHostWaits(l *activeRun, envs []message) []message {
	rest := envs[:0]
	for _, env := range envs {
		if env.hostWait == 0 {
			rest = append(rest, env)
			continue
		}
		l.waitingForHost += env.hostWait
		if env.resumed == nil {
			continue
		}
		if !l.slot {
			e.slots.acquireBeyondLimit()
			e.claimSlot(l)
		}
		close(env.resumed)
	}
	if len(rest) == 0 {
		e.lendSlot(l)
	}
	return rest
}

// lendSlot gives a run's slot back while all its attempts in action wait aside.
func (e *engine) lendSlot(l *activeRun) {
	if l.run == nil || !l.slot || l.waitingForHost == 0 || l.waitingForHost < l.run.InFlight() {
		return
	}
	e.mu.Lock()
	many := len(e.runs) > maxLending
	e.mu.Unlock()
	if !many {
		e.releaseSlot(l)
	}
}
