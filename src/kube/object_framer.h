#pragma once
// ObjectFramer cuts the objects out of the JSON of a watch or a list while it arrives, so that one
// object at a time is in memory and the parser never sees the whole. It counts brackets and knows
// strings; whether a frame is right JSON is for the parser to say.
//
// On the way it leaves out metadata.managedFields: two fifths of a pod's bytes and nine tenths of
// its metadata, which nobody here reads.
//
// Threads:  one thread at a time.
// Failure:  kDecode for bytes that cannot be such an answer (a page of HTML, a list cut short); an
//           error of the sink is passed on. A frame over the cap is delivered as too large, without
//           its bytes, and the stream goes on.
// Limits:   `max_frame_bytes` for a frame; kEnvelopeBytes for what is around the items of a list.

#include <cstddef>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::kube {

class ObjectFramer {
 public:
  static constexpr std::size_t kEnvelopeBytes = 256U << 10U;

  enum class Shape {
    kSequence,  // a watch: {"type":...,"object":{...}} {"type":...
    kItems,     // a list: {"kind":"PodList","metadata":{...},"items":[{...},{...}]}
  };

  class Sink {
   public:
    virtual ~Sink() = default;
    /// One watch event, or one item of a list. Valid until this returns.
    virtual Status OnFrame(std::string_view json) = 0;
    /// One that had more bytes than the cap.
    virtual Status OnOversizeFrame(std::size_t bytes) = 0;
  };

  ObjectFramer(Shape shape, std::size_t max_frame_bytes, Sink& sink);

  Status Feed(std::string_view bytes);

  /// kItems: fails unless the whole list has been seen.
  [[nodiscard]] Status Finish() const;
  /// kItems: the list without its items: {"kind":"PodList","metadata":{...},"items":[]}.
  [[nodiscard]] std::string_view envelope() const { return envelope_; }

 private:
  Status Step();
  void StepInString();
  /// Containers deeper than this hold nothing that is looked at.
  [[nodiscard]] std::size_t QuietDepth() const;
  /// Goes on to the bracket that leads back to where keys matter, or to the chunk's end.
  void SkipQuiet();
  Status StepOutside();
  Status Open();
  Status Close();
  Status EndFrame();
  void BeginString();
  void EndKey();
  Status SkipPlain();
  /// The first byte of the value of a key on the path: enter it, or leave it out.
  void BeginWantedValue(char first);
  void EndLeftOut();
  void Comma();
  /// Moves what was read since `run_` into its buffer.
  Status Flush();

  [[nodiscard]] std::string& target() { return in_frame_ ? frame_ : envelope_; }
  /// Where the byte at index_ will stand in its buffer.
  [[nodiscard]] std::size_t Position();
  /// How many containers are open around a frame.
  [[nodiscard]] std::size_t FrameDepth() const;
  /// Whether keys of the innermost container are steps of the path.
  [[nodiscard]] bool IsOnPath() const;
  [[nodiscard]] std::string_view NextStep() const;

  const Shape shape_;
  const std::size_t max_frame_bytes_;
  Sink& sink_;

  std::string_view chunk_;
  std::size_t index_ = 0;
  std::size_t run_ = 0;  // first byte of the chunk that is in no buffer yet

  std::string frame_;
  std::string envelope_;
  std::size_t frame_bytes_ = 0;
  bool is_oversize_ = false;

  std::size_t depth_ = 0;
  std::size_t path_depth_ = 0;  // containers of the path that are open
  char last_mark_ = 0;          // the last of { [ ] } : , outside strings
  bool in_frame_ = false;
  bool in_items_ = false;
  bool is_done_ = false;
  bool in_string_ = false;
  bool is_escaped_ = false;
  bool is_key_ = false;           // the string being read is a key on the path
  bool is_wanted_ = false;        // that key was the next step; its value comes
  std::size_t key_position_ = 0;  // behind its quote
  std::size_t member_position_ = 0;
  std::size_t comma_position_ = 0;

  enum class LeaveOut { kNothing, kContainer, kString, kPlain } leave_out_ = LeaveOut::kNothing;
  std::size_t leave_out_depth_ = 0;
  bool is_first_member_ = false;  // of its object: the one that may be left out
  bool drops_comma_ = false;      // a first member was left out: the comma behind it goes too
};

}  // namespace tracekeeper::kube
