"""One family to one ONNX file by PyTorch's exporter: export.py NAME SEED PICTURES TARGET."""

import sys
import warnings

warnings.filterwarnings("ignore")


def main():
    import torch

    import families
    import pictures

    name, seed, folder, target = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    torch.set_num_threads(2)
    torch.manual_seed(seed)
    model = families.build(name)
    families.wake(model)
    families.fit(model, torch.from_numpy(pictures.load(f"{folder}/fit")))
    if hasattr(model, "fuse"):
        model.fuse()
    else:
        for module in model.modules():
            if module is not model and hasattr(module, "reparameterize"):
                module.reparameterize()
    size = families.SIZES[name]
    torch.onnx.export(
        model.eval(), (torch.zeros(1, 3, size, size),), target, dynamo=True, external_data=False, verbose=False,
        input_names=["image"], output_names=["logits"],
    )


main()
