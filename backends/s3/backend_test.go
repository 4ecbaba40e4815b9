package s3

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestBackendsOfOneClient: a backend that is opened does not touch what others of the same client use.
func TestBackendsOfOneClient(t *testing.T) {
	client := sdk.New(sdk.Options{Region: "us-east-1"})
	seen := map[any]bool{client.Options().ExpressCredentials: true}
	for range 2 {
		b, err := New(Options{Client: client, Bucket: "b"})
		if err != nil {
			t.Fatal(err)
		}
		express := b.api.Options().ExpressCredentials
		if express == nil || seen[express] {
			t.Errorf("it uses %v of another", express)
		}
		seen[express] = true
	}
}
