package fake

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"time"
)

// Object is what the server holds under a key.
type Object struct {
	Key      string
	ETag     string // with its quotes
	Size     int64
	Modified time.Time // whole seconds
	Attributes
	Checksums    map[string]string // by algorithm ("CRC32"), as the API writes them
	ChecksumType string            // "FULL_OBJECT" or "COMPOSITE"
	Parts        []int64           // their sizes, for what a multipart upload made

	content content
}

// bucket is one bucket. The server's lock guards it.
type bucket struct {
	objects map[string]*Object
	keys    []string // sorted
	uploads map[string]*upload
	aborted map[string]*upload // which late parts may still come for
}

func newBucket() *bucket {
	return &bucket{objects: make(map[string]*Object), uploads: make(map[string]*upload), aborted: make(map[string]*upload)}
}

func (b *bucket) put(o *Object) {
	if _, ok := b.objects[o.Key]; !ok {
		i := sort.SearchStrings(b.keys, o.Key)
		b.keys = slices.Insert(b.keys, i, o.Key)
	}
	b.objects[o.Key] = o
}

func (b *bucket) remove(key string) {
	if _, ok := b.objects[key]; ok {
		i := sort.SearchStrings(b.keys, key)
		b.keys = slices.Delete(b.keys, i, i+1)
		delete(b.objects, key)
	}
}

// CreateBucket makes an empty bucket.
func (s *Server) CreateBucket(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] == nil {
		s.buckets[name] = newBucket()
	}
}

// Object returns a copy of what is stored under key.
func (s *Server) Object(bucket, key string) (o Object, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[bucket]
	if b == nil || b.objects[key] == nil {
		return Object{}, false
	}
	o = *b.objects[key]
	o.Metadata, o.Tags, o.Checksums = maps.Clone(o.Metadata), maps.Clone(o.Tags), maps.Clone(o.Checksums)
	return o, true
}

// Bytes returns the content of an object, which must fit into memory.
func (o Object) Bytes() []byte {
	var b strings.Builder
	_, _ = o.content.WriteTo(&b) // a Builder takes everything
	return []byte(b.String())
}

// Keys returns the keys that begin with prefix, in order.
func (s *Server) Keys(bucket, prefix string) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[bucket]
	if b == nil {
		return nil
	}
	for i := sort.SearchStrings(b.keys, prefix); i < len(b.keys) && strings.HasPrefix(b.keys[i], prefix); i++ {
		keys = append(keys, b.keys[i])
	}
	return keys
}

// Uploads returns the keys of the multipart uploads that have not ended.
func (s *Server) Uploads(bucket string) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[bucket]; b != nil {
		for _, u := range b.uploads {
			keys = append(keys, u.key)
		}
	}
	slices.Sort(keys)
	return keys
}

// PutZeros stores an object of size zeros that takes no memory, as someone else would.
func (s *Server) PutZeros(bucket, key string, size int64) {
	s.place(bucket, key, zeros(size))
}

// Put stores an object, as someone else would.
func (s *Server) Put(bucket, key string, data []byte) {
	s.place(bucket, key, bytesOf(slices.Clone(data)))
}

func (s *Server) place(bucket, key string, c content) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	o := &Object{
		Key: key, Size: c.size(), Modified: s.now(), content: c,
		ETag:       randomTag(s.serial),
		Attributes: Attributes{ContentType: "binary/octet-stream"},
	}
	s.buckets[bucket].put(o)
}

// SetModified dates an object, which no request can.
func (s *Server) SetModified(bucket, key string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := *s.buckets[bucket].objects[key]
	o.Modified = at.UTC().Truncate(time.Second)
	s.buckets[bucket].put(&o)
}

// Delete removes an object, as someone else would.
func (s *Server) Delete(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[bucket].remove(key)
}
