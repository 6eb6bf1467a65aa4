/**
 * The package's public face: exports only.
 */

// Pipeline

export {attentionMapGrid} from './pipelines/attention-map-grid.ts';
export {type BlockPreset, blockPreset, blockPresets} from './pipelines/block-presets.ts';
export {bundledModel} from './pipelines/bundled-model.ts';
export type {ImageCombination} from './pipelines/combine-images.ts';
export type {ControlPreprocess} from './pipelines/control-preprocess.ts';
export type {GeneratedImage, GenerateResult, Timings} from './pipelines/generate.ts';
export type {
  AdapterScale,
  Condition,
  ControlPixels,
  GenerateEvent,
  GenerateOptions,
  LatentsInput,
} from './pipelines/generate-options.ts';
export type {GuidanceMode} from './pipelines/guidance.ts';
export type {HostTensor} from './pipelines/host-tensor.ts';
export {IPAdapterInstructPipeline} from './pipelines/ip-adapter-instruct-pipeline.ts';
export type {LoadOptions, RandomOptions} from './pipelines/load-options.ts';
export type {LoraFile, LoraOptions} from './pipelines/lora-adapters.ts';
export type {MemoryEstimate} from './pipelines/memory-estimate.ts';
export type {PromptSyntax} from './pipelines/prompt-chunks.ts';
export type {UnconditionalImage, UnconditionalKind} from './pipelines/unconditional-image.ts';

// Many pictures

export {
  GenerationQueue,
  type Generator,
  type JobEvent,
  type QueueOptions,
  type SubmitOptions,
} from './jobs/generation-queue.ts';
export type {JobOptions} from './jobs/job.ts';
export type {DoneLine, FailedLine, JobLine} from './jobs/job-log.ts';
export type {JobRunOptions, JobsProgress, PictureFormat} from './jobs/job-run.ts';
export {type Job, readJobs} from './jobs/read-jobs.ts';
export {type RunWorkerOptions, runWorker} from './jobs/redis/run-worker.ts';
export {type SendJobsOptions, sendJobs} from './jobs/redis/send-jobs.ts';
export {type RunJobsOptions, runJobs} from './jobs/run-jobs.ts';

// Kernels by themselves, and devices

export type {ComputeDType} from './pipelines/compute-dtype.ts';
export {
  type AttentionInputs,
  type AttentionOptions,
  type DecoupledCrossAttentionInputs,
  type DecoupledCrossAttentionOptions,
  decoupledCrossAttention,
  fusedAttention,
} from './pipelines/standalone/attention.ts';
export type {CallOptions, Operand, ResultFor} from './pipelines/standalone/call.ts';
export {
  type InstructProjectionInputs,
  type InstructProjectionOptions,
  instructProjection,
} from './pipelines/standalone/instruct-projection.ts';
export {type Device, type DeviceInfo, type DeviceSpec, openDevice} from './runtime/device.ts';
export {DeviceTensor, type TensorData} from './runtime/device-tensor.ts';

// The drawn world

export type {Factors, Portrait, Scene} from './datasets/world/factors.ts';
export {renderSample, type SamplePictures} from './datasets/world/render-sample.ts';
export {type WorldSample, type WorldTask, worldSample, worldTasks} from './datasets/world/tasks.ts';
export {type WorldCard, type WorldDatasetOptions, writeWorldDataset} from './datasets/world/write-world.ts';

// Language models, for captions and instructions

export {type CaptionedFolder, type CaptionFolderOptions, captionFolder} from './datasets/caption-folder.ts';
export {instructionPool} from './datasets/instructions/instruction-pool.ts';
export {type InstructedTask, instructedTasks} from './datasets/instructions/tasks.ts';
export {
  type WriteInstructionsOptions,
  writeInstructions,
} from './datasets/instructions/write-instructions.ts';
export {cached} from './language/cached.ts';
export {type CaptionPictureOptions, captionPicture} from './language/caption-picture.ts';
export type {CompletionRequest, LanguageModel} from './language/language-model.ts';
export {type OpenAiCompatibleOptions, openAiCompatible} from './language/open-ai-compatible.ts';
export {type RateLimits, rateLimited} from './language/rate-limited.ts';

// Training sets from pictures

export type {BuildCard} from './builders/build-card.ts';
export {type BuildDatasetOptions, buildDataset} from './builders/build-dataset.ts';
export {type Captioner, languageModelCaptioner} from './builders/captions.ts';
export {faceLocator} from './builders/face-locator.ts';
export type {Painter, PaintRequest} from './builders/painter.ts';
export {instantStylePainter, type PainterOptions, scribblePainter} from './builders/painters.ts';
export type {BuildProgress} from './builders/run-build.ts';
export type {FaceLandmarks} from './builders/sources/celeba.ts';
export type {FaceLocator} from './builders/tasks/face.ts';
export type {ObjectCrop} from './builders/tasks/object.ts';

// Training

export {type Dataset, openDataset} from './datasets/dataset.ts';
export type {DatasetProblem, DatasetSample, ImageReference} from './datasets/dataset-sample.ts';
export {writeDatasetVocabulary} from './datasets/write-vocabulary.ts';
export {
  type Communicator,
  openCommunicator,
  type RankPlace,
} from './runtime/communicator.ts';
export type {Batches, ModelFiles, Objective} from './training/objective.ts';
export {type ForecastOptions, forecastTraining, type TrainingForecast} from './training/recipes/forecast.ts';
export {
  type AdapterInitialization,
  type InitializeOptions,
  initializeAdapter,
} from './training/recipes/initialize-adapter.ts';
export {
  type AdapterStart,
  loadTrainingModels,
  randomTrainingModels,
  type TrainingModels,
} from './training/recipes/load-training-models.ts';
export type {ModelRecipe} from './training/recipes/model-recipe.ts';
export {type OpenedModelRecipe, openModelRecipe} from './training/recipes/open-model-recipe.ts';
export {openRecipe} from './training/recipes/open-recipe.ts';
export {type Recipe, readRecipe, trainsModel} from './training/recipes/recipe.ts';
export {Trainer, type TrainingRun} from './training/trainer.ts';
export type {
  TrainerOptions,
  TrainingEvent,
  TrainingResult,
  TrainOptions,
  WatchEvent,
} from './training/trainer-options.ts';

// Evaluation

export type {Interval} from './evaluation/confidence.ts';
export {evaluate} from './evaluation/evaluate.ts';
export type {EvaluateOptions, EvaluationProgress} from './evaluation/evaluate-options.ts';
export {type AdapterToEvaluate, adaptersOfRun} from './evaluation/evaluated-adapters.ts';
export type {Evaluation, RewordingEffect} from './evaluation/evaluation.ts';
export type {EvaluationClipFolders} from './evaluation/evaluation-clip.ts';
export type {
  FactorOutcomes,
  FactorScoreRequest,
  FactorScorer,
  FactorScores,
} from './evaluation/factor-scorer.ts';
export type {SampleFactors} from './evaluation/sample-factors.ts';
export type {ScoreDifference, TaskScores} from './evaluation/summarize.ts';

// Faces

export type {Box, Face, Point} from './faces/face.ts';
export {FaceAnalyzer, type FaceAnalyzerOptions, type FaceCallOptions} from './faces/face-analyzer.ts';

// Service

export {createServer} from './server/create-server.ts';
export type {ImageServer, ServedPipeline, ServerOptions} from './server/server-options.ts';

// Schedulers

export {createScheduler, schedulerNames} from './schedulers/create-scheduler.ts';
export type {NoiseSource, Scheduler} from './schedulers/scheduler.ts';
export type {SchedulerConfig} from './schedulers/scheduler-config.ts';
export {TorchGenerator} from './schedulers/torch-generator.ts';

// Tokenizer

export {CLIPTokenizer, type EncodedText} from './tokenizer/clip-tokenizer.ts';
export type {VocabularyOptions} from './tokenizer/learn-vocabulary.ts';

// Weights

export {type AdapterDescription, detectAdapterKind} from './weights/adapter-kind.ts';
export {openWeights} from './weights/open-weights.ts';
export {readTensor} from './weights/read-tensor.ts';
export type {StoredTensor, WeightIndex} from './weights/stored-tensor.ts';
export {writeSafetensors} from './weights/write-safetensors.ts';
export {writeTorchBin} from './weights/write-torch-bin.ts';

// Downloads

export {type PullEvent, type PulledModel, type PullOptions, pullModel} from './hub/pull-model.ts';
export type {RetryEvent} from './hub/retry.ts';

// Images

export {type CannyOptions, cannyEdges} from './images/canny.ts';
export {decodeImage, type ImageInput} from './images/decode-image.ts';
export type {GrayImage, RawImage, RgbImage} from './images/image.ts';
export {labelledGrid} from './images/labelled-grid.ts';
export {scribble} from './images/scribble.ts';
export {writeImage} from './images/write-image.ts';

// Profiles

export {type ProfileRow, ProfileSink} from './engine/profile.ts';
export {chromeTrace} from './inspect/chrome-trace.ts';
export {profileTable} from './inspect/profile-table.ts';

// Errors

export {
  ArgumentError,
  DeviceError,
  DisposedError,
  DTypeError,
  type ErrorCode,
  FileError,
  InternalError,
  IPAdapterError,
  LanguageModelError,
  NoBinaryError,
  NumericError,
  OutOfMemoryError,
  QueueError,
  QueueFullError,
  ShapeError,
  UnusableAnswerError,
  WeightsError,
} from './errors.ts';
