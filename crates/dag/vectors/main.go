package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	mh "github.com/multiformats/go-multihash"
)

// Prints "length CID" for each length given: the root CID that boxo, the library
// inside Kubo, gives to that many bytes of the pattern.
func main() {
	for _, arg := range os.Args[1:] {
		n, err := strconv.Atoi(arg)
		if err != nil {
			panic(err)
		}
		b := make([]byte, n)
		for i := range b {
			b[i] = byte((i*131 + (i>>8)*17 + (i>>16)*29) % 251)
		}
		store := blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore()))
		params := helpers.DagBuilderParams{
			Maxlinks: 174, RawLeaves: true,
			CidBuilder: cid.V1Builder{Codec: cid.DagProtobuf, MhType: mh.SHA2_256},
			Dagserv:    merkledag.NewDAGService(blockservice.New(store, nil)),
		}
		db, err := params.New(chunk.NewSizeSplitter(bytes.NewReader(b), 262144))
		if err != nil {
			panic(err)
		}
		node, err := balanced.Layout(db)
		if err != nil {
			panic(err)
		}
		fmt.Println(n, node.Cid())
	}
}
