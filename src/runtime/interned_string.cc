#include "src/runtime/interned_string.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_set>
#include <utility>

namespace tracekeeper::runtime {

// The characters follow the node in the same allocation.
struct InternedString::Node {
  InternTable::State* table;
  std::atomic<std::uint32_t> references;
  std::uint32_t length;

  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(this + 1), length};
  }
};

struct InternTable::State {
  using Node = InternedString::Node;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
    std::size_t operator()(const Node* node) const { return (*this)(node->view()); }
  };
  struct Equal {
    using is_transparent = void;
    static std::string_view View(std::string_view text) { return text; }
    static std::string_view View(const Node* node) { return node->view(); }
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      return View(left) == View(right);
    }
  };

  Node* Make(std::string_view text) {
    void* memory = ::operator new(sizeof(Node) + text.size());
    Node* node = new (memory) Node{this, 1, static_cast<std::uint32_t>(text.size())};
    std::memcpy(static_cast<void*>(node + 1), text.data(), text.size());
    return node;
  }

  static void Free(Node* node) {
    node->~Node();
    ::operator delete(node);
  }

  void Drop(Node* node) {
    // All but the last reference go without the lock. The last one goes under it, so that
    // Intern() cannot hand out a string that is being freed.
    std::uint32_t count = node->references.load(std::memory_order_relaxed);
    while (count > 1) {
      if (node->references.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel)) {
        return;
      }
    }
    bool ended = false;
    {
      const std::scoped_lock lock(mutex);
      if (node->references.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
      nodes.erase(node);
      Free(node);
      ended = abandoned && nodes.empty();
    }
    if (ended) delete this;
  }

  mutable std::mutex mutex;
  std::unordered_set<Node*, Hash, Equal> nodes;
  bool abandoned = false;  // the table is gone: the last handle frees the state
};

InternedString::InternedString(const InternedString& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
}

InternedString::~InternedString() {
  if (node_ != nullptr) node_->table->Drop(node_);
}

std::string_view InternedString::view() const noexcept {
  return node_ == nullptr ? std::string_view() : node_->view();
}

InternTable::InternTable() : state_(new State) {}

InternTable::~InternTable() {
  bool ended = false;
  {
    const std::scoped_lock lock(state_->mutex);
    state_->abandoned = true;
    ended = state_->nodes.empty();
  }
  if (ended) delete state_;
}

InternedString InternTable::Intern(std::string_view text) {
  if (text.empty()) return {};
  const std::scoped_lock lock(state_->mutex);
  if (const auto known = state_->nodes.find(text); known != state_->nodes.end()) {
    (*known)->references.fetch_add(1, std::memory_order_relaxed);
    return InternedString(*known);
  }
  InternedString::Node* node = state_->Make(text);
  state_->nodes.insert(node);
  return InternedString(node);
}

std::size_t InternTable::size() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->nodes.size();
}

}  // namespace tracekeeper::runtime
