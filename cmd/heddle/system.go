package main

import (
	"heddle/internal/elements"
	"heddle/system"
	"os"
	"time"
)

// openSystem returns what says how this server is. Its settings are as they may be shown.
func (w *wiring) openSystem() *system.Service {
	host, _ := os.Hostname() // "" where the system does not say
	return system.New(system.Config{
		Store: w.db, Runs: w.executor, Now: w.clock.Now, Log: w.log,
		Node: system.Node{ID: w.holder, Host: host, Version: buildVersion(), StartedAt: time.Now()},
		Clock: func() *system.Clock {
			s, measured := w.clock.State()
			if !measured {
				return nil
			}
			return &system.Clock{Offset: s.Offset, Waits: s.TooFar}
		},
		Settings: elements.Map(w.settings.resolved, func(r resolved) system.Setting {
			return system.Setting{Name: r.Name, Value: r.shown(), Source: r.Source, Secret: r.Secret}
		}),
	})
}
