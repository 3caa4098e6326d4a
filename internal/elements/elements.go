// Package elements has what the standard library's slices lacks.
package elements

// Map returns what f makes of each element, in their order; never nil.
func Map[S, T any](list []S, f func(S) T) []T {
	made := make([]T, len(list))
	for i, element := range list {
		made[i] = f(element)
	}
	return made
}
