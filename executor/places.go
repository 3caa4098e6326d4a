package executor

import (
	"context"
	"heddle/executor/machine"
	"sync"
)

// Placer is what a Runner may be beside: it names what many attempts at once
// would crowd, such as the host that a webhook goes to. At most
// Config.MaxPerPlace attempts are in action at one place. The others wait
// without a slot, so that a place where nothing ends holds up nobody else.
type Placer interface {
	// Placed tells whether attempts of a type can have a place.
	Placed(typeName string) bool
	// Place names the place of an attempt whose config is rendered; "": none.
	Place(call Call) string
}

// maxAside is how many runs may be in memory for runs to give their slots up
// while they wait: what waits has to stay there.
const maxAside = 2000

// places are the gates of places that somebody is at, or waits for.
type places struct {
	most int

	mu     sync.Mutex
	byName map[string]*place
}

type place struct {
	gate  *gate
	users int
}

func newPlaces(most int) *places { return &places{most: most, byName: make(map[string]*place)} }

// at gives a place and what forgets it again when nobody else is there.
func (p *places) at(name string) (g *gate, forget func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.byName[name]
	if at == nil {
		at = &place{gate: newGate(p.most)}
		p.byName[name] = at
	}
	at.users++
	return at.gate, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(p.byName, name)
		}
	}
}

// placed tells whether the runner may have a place for a type.
func (e *engine) placed(typeName string) (Placer, bool) {
	p, ok := e.svc.cfg.Runner.(Placer)
	return p, ok && p.Placed(typeName)
}

// takePlace finds an attempt's place and waits there. The config is rendered for
// that alone and again afterwards: what waits holds none in memory.
func (e *engine) takePlace(ctx context.Context, l *live, placer Placer, call Call, x machine.Execute) (leave func(), failure *machine.Failure) {
	sending := tenancy{room: e.sending}
	defer sending.leave()
	if call.Config, failure = e.renderApart(ctx, call, x, &sending); failure != nil {
		return nil, failure
	}
	name := placer.Place(call)
	call.Config = nil
	sending.leave()
	leave, ok := e.enterPlace(ctx, l, name)
	if !ok {
		return nil, stopped()
	}
	return leave, nil
}

// enterPlace waits until there is room at a place; meanwhile the run steps
// aside. l is nil for a step that belongs to no run. False: the attempt was
// stopped.
func (e *engine) enterPlace(ctx context.Context, l *live, name string) (leave func(), ok bool) {
	if name == "" {
		return func() {}, true
	}
	g, forget := e.places.at(name)
	leave = func() {
		g.leave()
		forget()
	}
	if g.tryEnter() {
		return leave, true
	}
	e.aside(l, envelope{step: 1})
	if !g.enter(ctx) {
		forget()
		e.aside(l, envelope{step: -1})
		return nil, false
	}
	back := make(chan struct{})
	if e.aside(l, envelope{step: -1, back: back}) {
		select {
		case <-back:
		case <-ctx.Done():
			leave()
			return nil, false
		}
	}
	return leave, true
}

// aside tells a run's driver that one of its attempts steps aside or comes
// back. False: nobody drives it any more.
func (e *engine) aside(l *live, env envelope) bool {
	if l == nil {
		return false
	}
	e.mu.Lock()
	if e.live[l.id] != l {
		e.mu.Unlock()
		return false
	}
	l.inbox = append(l.inbox, env)
	start := !l.driven
	l.driven = true
	e.mu.Unlock()
	if start {
		go e.drive(l)
	}
	return true
}

// stepAside notes which attempts stepped aside or came back, and gives the
// other envelopes. Who comes back has had its turn: it gets the slot beyond the
// limit.
func (e *engine) stepAside(l *live, envs []envelope) []envelope {
	rest := envs[:0]
	for _, env := range envs {
		if env.step == 0 {
			rest = append(rest, env)
			continue
		}
		l.aside += env.step
		if env.back == nil {
			continue
		}
		if !l.slot {
			e.slots.force()
			e.claim(l)
		}
		close(env.back)
	}
	if len(rest) == 0 {
		e.lend(l)
	}
	return rest
}

// lend gives a run's slot back while all its attempts in action wait aside.
func (e *engine) lend(l *live) {
	if l.run == nil || !l.slot || l.aside == 0 || l.aside < l.run.InAction() {
		return
	}
	e.mu.Lock()
	many := len(e.live) > maxAside
	e.mu.Unlock()
	if !many {
		e.giveBack(l)
	}
}
