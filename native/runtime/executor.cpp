#include "runtime/executor.h"

#include <utility>

namespace ipai {

Executor::Executor(std::unique_ptr<Runner> runner)
    : runner_(std::move(runner)), thread_([this] { work(); }) {}

void Executor::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    queue_.clear();
    if (running_ != nullptr) running_->token->cancelled = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Executor::submit(std::unique_ptr<Job> job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Executor::cancel(const std::shared_ptr<CancelToken>& token) {
  token->cancelled = true;
  const auto has_token = [&](const Job& job) { return job.token == token; };
  for (const auto& job : take_queued(has_token)) {
    job->done({{ErrorCode::kCancelled, "run: cancelled before it began."}, {}});
  }
}

void Executor::drain(const void* owner) {
  const auto is_owned = [&](const Job& job) { return job.owner == owner; };
  take_queued(is_owned);
  std::unique_lock<std::mutex> lock(mutex_);
  if (running_ != nullptr && is_owned(*running_)) running_->token->cancelled = true;
  idle_.wait(lock, [&] { return running_ == nullptr || !is_owned(*running_); });
}

void Executor::trim() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    trim_requested_ = true;
  }
  wake_.notify_one();
}

template <class Predicate>
std::deque<std::unique_ptr<Job>> Executor::take_queued(Predicate&& predicate) {
  std::deque<std::unique_ptr<Job>> taken;
  std::deque<std::unique_ptr<Job>> left;
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& job : queue_) (predicate(*job) ? taken : left).push_back(std::move(job));
  queue_ = std::move(left);
  return taken;
}

void Executor::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty() || trim_requested_; });
    if (stop_) return;
    if (queue_.empty()) {
      trim_requested_ = false;
      runner_->trim();
      continue;
    }
    const std::unique_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    running_ = job.get();
    lock.unlock();
    JobResult result = job->task ? JobResult{job->task(), {}} : runner_->run(*job);
    // What JavaScript has disposed of meanwhile is free by the time it hears of the end.
    job->task = nullptr;
    job->inputs.clear();
    job->parameters.clear();
    job->outputs.clear();
    lock.lock();
    const bool report = !stop_;
    lock.unlock();
    if (report) job->done(std::move(result));
    lock.lock();
    // Only now is the owner free to go: `done` reaches into it.
    running_ = nullptr;
    idle_.notify_all();
  }
}

}  // namespace ipai
