package media

import (
	"fmt"
	"io"
)

// A boundedBody ends with an error where body is longer than MaxResponse.
type boundedBody struct {
	body       io.Reader
	most, left int64
	over       bool
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.over {
		return 0, b.tooLong()
	}
	if int64(len(p))-1 > b.left {
		p = p[:b.left+1] // one more tells a body that ends there from a longer one
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		b.over = true
		return int(b.left), b.tooLong()
	}
	b.left -= int64(n)
	return n, err
}

func (b *boundedBody) tooLong() error {
	return fmt.Errorf("the response is longer than MaxResponse, %d bytes: raise that, or give Do an io.Writer, which takes any length", b.most)
}
