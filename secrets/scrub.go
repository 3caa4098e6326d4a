package secrets

// Scrub replaces every secret that this process knows, of whatever tenant, by *** in a
// text. It is for what the process logs and does not call the store: a secret that was
// not used in this process since it started is not known. It takes none of the service's
// locks, so it may be called while a method of the service logs. Its cost grows with the
// number of tenants in the cache.
func (s *Service) Scrub(text string) string {
	if len(text) < window {
		return text
	}
	s.known.Range(func(_, v any) bool {
		r, ok := v.(*redactor)
		if !ok || r == nil {
			return true
		}
		if spans := r.spans([]byte(text), true); len(spans) > 0 {
			text = string(replaced([]byte(text), spans))
		}
		return true
	})
	return text
}
