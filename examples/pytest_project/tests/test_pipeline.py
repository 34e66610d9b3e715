"""The training pipeline, before anybody pays for its training."""

from train import build_trainer


def test_training_may_start(examine, tmp_path):
    examine(build_trainer(output_dir=str(tmp_path))).assert_ready()


def test_labels_and_head_agree(examine, tmp_path):
    report = examine(build_trainer(output_dir=str(tmp_path)), select="LAB")
    assert report.ok(), str(report)
