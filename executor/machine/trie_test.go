package machine

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTrieIsAMap compares a trie with a map under random changes, and every
// older copy with what the map was then.
func TestTrieIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			trie trie[int]
			want map[uint64]int
		}
		now := version{want: map[uint64]int{}}
		var old []version
		edit := uint64(1)
		keys := rapid.OneOf(rapid.Uint64Range(0, 70), rapid.Uint64Range(0, 1<<40))
		for range rapid.IntRange(1, 200).Draw(t, "moves") {
			key := keys.Draw(t, "key")
			switch rapid.IntRange(0, 4).Draw(t, "move") {
			case 0:
				old = append(old, version{now.trie, maps.Clone(now.want)})
				edit++
			case 1:
				now.trie.delete(edit, key)
				delete(now.want, key)
			default:
				now.trie.set(edit, key, int(edit))
				now.want[key] = int(edit)
			}
		}
		for _, v := range append(old, now) {
			checkTrie(t, &v.trie, v.want)
		}
	})
}

func checkTrie(t *rapid.T, tr *trie[int], want map[uint64]int) {
	keys := slices.Sorted(maps.Keys(want))
	var got []uint64
	tr.all(func(key uint64, v int) bool {
		if want[key] != v {
			t.Fatalf("key %d holds %d, want %d", key, v, want[key])
		}
		got = append(got, key)
		return true
	})
	if !slices.Equal(got, keys) || tr.len() != len(keys) {
		t.Fatalf("keys %v (%d), want %v", got, tr.len(), keys)
	}
	low, _, ok := tr.min()
	high, _, _ := tr.max()
	if ok != (len(keys) > 0) || ok && (low != keys[0] || high != keys[len(keys)-1]) {
		t.Fatalf("min %d, max %d, %v; want the ends of %v", low, high, ok, keys)
	}
	for _, key := range keys {
		if v, ok := tr.get(key); !ok || v != want[key] {
			t.Fatalf("get(%d) = %d, %v", key, v, ok)
		}
	}
	if _, ok := tr.get(1 << 50); ok {
		t.Fatal("a key that was never set is there")
	}
}

// TestTimersComeInOrder: earliest first, equal ones as they were set.
func TestTimersComeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dues := rapid.SliceOf(rapid.Int64Range(0, 20)).Draw(t, "dues")
		var heap timerHeap
		for slot, due := range dues {
			heap.push(due, uint64(slot))
		}
		kept := heap
		for range 2 { // the second time over the same, unchanged heap
			heap = kept
			var last *timer
			n := 0
			for ; heap.first != nil; heap.pop() {
				now := heap.first
				if last != nil && now.before(last) {
					t.Fatalf("%d/%d after %d/%d", now.due, now.key, last.due, last.key)
				}
				last = now
				n++
			}
			if n != len(dues) {
				t.Fatalf("%d timers of %d", n, len(dues))
			}
		}
	})
}
