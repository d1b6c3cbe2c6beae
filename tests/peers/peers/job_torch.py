"""The whole job in PyTorch, features computed once and kept: see `peers.job`."""

import torch
from torch import nn

from peers import job, torch_network

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def features_of(backbone, images):
    """The features of preprocessed photos, `[count, 1280]`; one by one, because on one core larger batches are slower: they
    leave the cache."""
    with torch.inference_mode():
        pixels = torch.from_numpy(images).to(memory_format=torch.channels_last)
        parts = [backbone(part) for part in pixels.split(1)]
    return torch.cat(parts)


def descend(head, epochs, count, inputs_of, labels):
    """The usual loop; `inputs_of` gives the head's inputs for sample numbers."""
    optimiser = torch.optim.SGD(head.parameters(), job.RATE, job.MOMENTUM)
    loss = nn.CrossEntropyLoss()
    torch.manual_seed(1)
    for _ in range(epochs):
        for batch in torch.randperm(count).split(job.BATCH):
            optimiser.zero_grad()
            loss(head(inputs_of(batch)), labels[batch]).backward()
            optimiser.step()


def answerer(backbone, head):
    """From decoded photos to class numbers."""

    def answer(images):
        with torch.inference_mode():
            return head(features_of(backbone, job.preprocess(images))).argmax(1).numpy()

    return answer


def learn(prepared, images, labels, epochs):
    backbone = torch_network.frozen(prepared / "backbone.pt")
    labels = torch.from_numpy(labels)
    clock = job.Clock()
    # Tensors made under inference mode must not be seen by autograd: a clone may.
    features = features_of(backbone, job.preprocess(images)).clone()
    features_s = clock.lap()
    head = nn.Linear(torch_network.FEATURES, job.CLASSES)
    descend(head, epochs, len(images), lambda batch: features[batch], labels)
    return features_s, clock.lap(), answerer(backbone, head)


if __name__ == "__main__":
    job.run(learn)
