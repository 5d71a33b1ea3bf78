#pragma once
// Document is one JSON answer of the API server with the parser that keeps it: the owning
// counterpart of codec::JsonValue.
//
//   const Document pod = TRY(client.Get(kPods, key, stop));
//   Use(pod["spec"]["nodeName"].StringOr(""));
//
// Threads:  one thread at a time. Movable; views into it stay valid when it is moved.

#include <string_view>
#include <utility>

#include "src/base/result.h"
#include "src/codec/json_value.h"

namespace tracekeeper::kube {

class Document {
 public:
  static Result<Document> Parse(std::string_view text) {
    codec::JsonParser parser;
    const codec::JsonValue root = TRY(parser.Parse(text));
    return Document(std::move(parser), root);
  }

  [[nodiscard]] codec::JsonValue root() const { return root_; }
  [[nodiscard]] codec::JsonValue operator[](std::string_view key) const { return root_[key]; }

 private:
  Document(codec::JsonParser parser, codec::JsonValue root)
      : parser_(std::move(parser)), root_(root) {}

  codec::JsonParser parser_;
  codec::JsonValue root_;
};

}  // namespace tracekeeper::kube
