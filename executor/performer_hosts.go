package executor

import (
	"context"
	"heddle/executor/machine"
)

// hostNamer returns the runner as a HostNamer, and whether attempts of a type can have a
// host.
func (p *performer) hostNamer(typeName string) (HostNamer, bool) {
	namer, ok := p.cfg.Runner.(HostNamer)
	return namer, ok && namer.NamesHost(typeName)
}

// waitForHost waits until an attempt may go to its host. The config is rendered for that
// alone and again afterwards, so that an attempt which waits holds none in memory. leave
// releases the host and is to be called when the attempt has ended; it is nil with a
// failure, which is that of the rendering, or "stopped".
func (p *performer) waitForHost(ctx context.Context, a *activeRun, placer HostNamer, call Call, x machine.Execute) (leave func(), failure *machine.Failure) {
	sending := reservation{budget: p.values.sending}
	defer sending.release()
	if call.Config, failure = p.renderWithBlobs(ctx, call, x, &sending); failure != nil {
		return nil, failure
	}
	name := placer.HostOf(call)
	call.Config = nil
	sending.release()
	leave, ok := p.acquireHost(ctx, a, name)
	if !ok {
		return nil, stopped()
	}
	return leave, nil
}

// acquireHost waits until there is room at a host ("": no wait); meanwhile the run's driver
// knows, and may lend the slot. On the way back the run has a slot again before the attempt
// goes on. a is nil for a step that belongs to no run. It returns false if the attempt was
// stopped; then nothing is held.
func (p *performer) acquireHost(ctx context.Context, a *activeRun, name string) (leave func(), ok bool) {
	if name == "" {
		return func() {}, true
	}
	g, forget := p.hosts.acquireRef(name)
	leave = func() {
		g.Release(1)
		forget()
	}
	if g.TryAcquire(1) {
		return leave, true
	}
	p.registry.deliverToDriver(a, message{hostWait: 1})
	if g.Acquire(ctx, 1) != nil {
		forget()
		p.registry.deliverToDriver(a, message{hostWait: -1})
		return nil, false
	}
	back := make(chan struct{})
	if p.registry.deliverToDriver(a, message{hostWait: -1, resumed: back}) {
		select {
		case <-back:
		case <-ctx.Done():
			leave()
			return nil, false
		}
	}
	return leave, true
}
