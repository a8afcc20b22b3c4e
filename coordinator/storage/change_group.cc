#include "coordinator/storage/change_group.h"

#include <algorithm>

namespace frontier::coordinator {
namespace {

// Swaps `row` with the one of the same key, or moves it to the end; returns where it is.
template <typename Key, typename Row>
Row* Put(const Key& key, Row* row, absl::flat_hash_map<Key, int>* places,
         google::protobuf::RepeatedPtrField<Row>* rows) {
  const auto [place, is_new] = places->try_emplace(key, rows->size());
  Row* kept = is_new ? rows->Add() : rows->Mutable(place->second);
  kept->Swap(row);
  return kept;
}

// Removes the row of this key, if there is one; the last one takes its place.
void TakeOut(const std::string& key, absl::flat_hash_map<std::string, int>* places,
             google::protobuf::RepeatedPtrField<v1::WorkerRecord>* rows) {
  const auto found = places->find(key);
  if (found == places->end()) return;
  const int place = found->second;
  places->erase(found);
  const int last = rows->size() - 1;
  if (place != last) {
    rows->SwapElements(place, last);
    (*places)[rows->Get(place).worker().id()] = place;
  }
  rows->RemoveLast();
}

template <typename Map, typename Key, typename Rows>
const typename Rows::value_type* Find(const Map& places, const Key& key, const Rows& rows) {
  const auto place = places.find(key);
  return place == places.end() ? nullptr : &rows.Get(place->second);
}

}  // namespace

void ChangeGroup::Add(v1::Change change) {
  empty_ = false;
  for (v1::JobRecord& job : *change.mutable_jobs()) {
    v1::JobRecord* kept = Put(job.job().id(), &job, &jobs_, merged_.mutable_jobs());
    // `job` is what was there before.
    if (job.job().has_spec() && !kept->job().has_spec()) {
      kept->mutable_job()->mutable_spec()->Swap(job.mutable_job()->mutable_spec());
    }
  }
  for (v1::Trial& trial : *change.mutable_trials()) {
    v1::Trial* kept =
        Put({trial.job_id(), trial.number()}, &trial, &trials_, merged_.mutable_trials());
    if (trial.has_architecture() && !kept->has_architecture()) {
      kept->mutable_architecture()->Swap(trial.mutable_architecture());
    }
  }
  for (v1::LeaseRecord& lease : *change.mutable_leases()) {
    const v1::AttemptKey& key = lease.key();
    Put({key.job_id(), key.trial(), key.attempt()}, &lease, &leases_, merged_.mutable_leases());
  }
  for (v1::AttemptKey& key : *change.mutable_ended_leases()) {
    merged_.add_ended_leases()->Swap(&key);
  }
  for (std::string& id : *change.mutable_deleted_workers()) {
    TakeOut(id, &workers_, merged_.mutable_workers());
    merged_.add_deleted_workers()->swap(id);
  }
  for (v1::WorkerRecord& worker : *change.mutable_workers()) {
    Put(worker.worker().id(), &worker, &workers_, merged_.mutable_workers());
  }
  for (v1::Event& event : *change.mutable_events()) merged_.add_events()->Swap(&event);
  for (v1::RequestRecord& request : *change.mutable_requests()) {
    Put(request.request_id(), &request, &requests_, merged_.mutable_requests());
  }
  for (v1::TrialOutlines& outlines : *change.mutable_outlines()) {
    merged_.add_outlines()->Swap(&outlines);
  }
  merged_.mutable_deleted_jobs()->MergeFrom(change.deleted_jobs());
  for (v1::Sweep& sweep : *change.mutable_sweeps()) merged_.add_sweeps()->Swap(&sweep);
  merged_.set_requests_before_unix_us(
      std::max(merged_.requests_before_unix_us(), change.requests_before_unix_us()));
  merged_.set_next_lease_token(std::max(merged_.next_lease_token(), change.next_lease_token()));
}

const v1::JobRecord* ChangeGroup::FindJob(int64_t job_id) const {
  return Find(jobs_, job_id, merged_.jobs());
}

bool ChangeGroup::Deletes(int64_t job_id) const {
  const auto& deleted = merged_.deleted_jobs();
  return std::find(deleted.begin(), deleted.end(), job_id) != deleted.end();
}

const v1::Trial* ChangeGroup::FindTrial(int64_t job_id, int64_t number) const {
  return Find(trials_, std::pair(job_id, number), merged_.trials());
}

const v1::RequestRecord* ChangeGroup::FindRequest(absl::string_view request_id) const {
  return Find(requests_, std::string(request_id), merged_.requests());
}

}  // namespace frontier::coordinator
