package source

import "slices"

// keySet remembers the keys of one object: a list while there are few.
type keySet struct {
	few  []string
	many map[string]bool
}

// take adds a key and tells whether it is new.
func (k *keySet) take(key string) bool {
	if k.many == nil {
		if slices.Contains(k.few, key) {
			return false
		}
		k.few = append(k.few, key)
		if len(k.few) > 16 {
			k.many = make(map[string]bool, 64)
			for _, f := range k.few {
				k.many[f] = true
			}
		}
		return true
	}
	if k.many[key] {
		return false
	}
	k.many[key] = true
	return true
}
