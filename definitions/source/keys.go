package source

import "slices"

// keySet is the set of the keys of one object: a list while there are few, which
// needs no hashing, and a map from the 17th key on. The zero value is empty.
type keySet struct {
	few  []string        // the first 17; not used once many is set
	many map[string]bool // nil while few is in use
}

// take adds a key and reports whether it is new.
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
