package source

import "slices"

// keySet finds the keys that an object has twice. Its keys are searched as a list while
// there are few, which needs no hashing, and by a map from the 17th on. The zero value is
// empty.
type keySet struct {
	apart []string        // keys of the object that are not in its list
	many  map[string]bool // nil while there are few
}

// fewKeys is the number of keys up to which they are searched as a list.
const fewKeys = 16

// take reports whether a key is new. list has those before it; where it is new, the caller
// appends it or calls add.
func (k *keySet) take(list []string, key string) bool {
	if k.many == nil && len(list) > fewKeys {
		k.many = make(map[string]bool, 4*fewKeys)
		for _, known := range list {
			k.many[known] = true
		}
	}
	if slices.Contains(k.apart, key) {
		return false
	}
	if k.many == nil {
		return !slices.Contains(list, key)
	}
	if k.many[key] {
		return false
	}
	k.many[key] = true
	return true
}

// add adds a key that is not appended to the list, unless it has it.
func (k *keySet) add(key string) {
	if !slices.Contains(k.apart, key) {
		k.apart = append(k.apart, key)
	}
}
