package secrets

import (
	"context"
	"errors"
	"sync"
	"time"
)

// useEvery is how often the use of one secret is noted at most.
const useEvery = time.Hour

// maxNotes bounds the secrets whose uses are remembered; when it is reached they are
// forgotten, and may be noted once more within the hour.
const maxNotes = 10_000

// secretName is a secret of a tenant.
type secretName struct{ tenantID, name string }

// useNotes remembers which secrets were used, until SaveUses stores it. It costs an attempt a
// look at a map, and no call of the store.
type useNotes struct {
	mu      sync.Mutex               // guards the other fields
	noted   map[secretName]time.Time // when the last use was noted
	pending map[secretName]time.Time // noted, and not stored yet
}

// note records a use, at most once every useEvery.
func (n *useNotes) note(s secretName, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, ok := n.noted[s]; ok && now.Sub(last) < useEvery {
		return
	}
	if n.noted == nil || len(n.noted) >= maxNotes {
		n.noted = map[secretName]time.Time{}
	}
	if n.pending == nil {
		n.pending = map[secretName]time.Time{}
	}
	n.noted[s], n.pending[s] = now, now
}

// take returns what is pending, which is not pending any more.
func (n *useNotes) take() map[secretName]time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	pending := n.pending
	n.pending = nil
	return pending
}

// forget makes the next use of a secret, whose note was not stored, be noted again.
func (n *useNotes) forget(s secretName) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.noted, s)
}

// SaveUses stores when secrets were last used, where that has changed. What cannot be stored is
// noted again with the next use.
func (s *Service) SaveUses(ctx context.Context) error {
	var all error
	for used, at := range s.uses.take() {
		if err := s.cfg.Store.MarkSecretsUsed(ctx, used.tenantID, []string{used.name}, at); err != nil {
			s.uses.forget(used)
			all = errors.Join(all, err)
		}
	}
	return all
}
